using System.Text;
using System.Text.Json;
using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Options;

/// <summary>Reads kernels in every form that users may give: numbers, a name, a file, or - for standard input.</summary>
internal static class KernelSource
{
    // The largest kernel with every number written out in full is about half of it.
    private const int MostBytes = 64 << 20;

    private static readonly string[] Extensions = [".txt", ".csv", ".json", ".npy"];

    /// <summary>Reads a kernel.</summary>
    /// <param name="text">What was typed.</param>
    /// <param name="terminal">Has standard input.</param>
    /// <exception cref="InputException">The file cannot be read or does not hold one kernel.</exception>
    /// <exception cref="ArgumentException">The text is no kernel.</exception>
    public static FilterKernel Read(string text, Terminal terminal) => ReadAll(text, terminal) is var kernels && kernels.Length == 1
        ? kernels[0]
        : throw new InputException($"{text}: {kernels.Length} kernels are in it; a picture is filtered with one.");

    /// <summary>Reads a kernel, or all kernels of a file.</summary>
    /// <param name="text">What was typed.</param>
    /// <param name="terminal">Has standard input.</param>
    /// <returns>1 or more kernels.</returns>
    /// <exception cref="InputException">The file cannot be read or holds no kernel.</exception>
    /// <exception cref="ArgumentException">The text is no kernel.</exception>
    public static FilterKernel[] ReadAll(string text, Terminal terminal)
    {
        if (text == Terminal.Dash)
        {
            using var input = terminal.OpenInput();
            return FromContent(input, "standard input");
        }

        if (!IsFile(text))
            return [KernelParser.Parse(text)];

        try
        {
            using var file = File.OpenRead(text);
            return FromContent(file, text);
        }
        catch (Exception e) when (e is not InputException && Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(text, e), e);
        }
    }

    // A name of the catalog is that kernel even where a file has it too; ./gauss then means the file.
    private static bool IsFile(string text)
    {
        var name = text.Split(':')[0];
        if (KernelCatalog.Definitions.Any(d => d.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            return false;
        return File.Exists(text) || Extensions.Contains(Path.GetExtension(text), StringComparer.OrdinalIgnoreCase);
    }

    private static FilterKernel[] FromContent(Stream input, string name)
    {
        var bytes = ReadToEnd(input, name);
        var content = new MemoryStream(bytes);
        if (NpyFile.IsNpy(content))
            return FromNpy(NpyFile.Read(content), name);

        // Spreadsheets save "Unicode text" as UTF-16 with its mark.
        var text = new StreamReader(content, Encoding.UTF8, detectEncodingFromByteOrderMarks: true).ReadToEnd();
        return IsJsonBank(text) ? FromJsonBank(text, name) : [KernelParser.ParseText(text, name)];
    }

    // Three brackets: the first kernel's first row begins.
    private static bool IsJsonBank(string text) => text.Where(c => !char.IsWhiteSpace(c)).Take(3).SequenceEqual("[[[");

    private static FilterKernel[] FromJsonBank(string text, string name)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return [.. json.RootElement.EnumerateArray().Select((kernel, n) => kernel.ValueKind == JsonValueKind.Array
                ? KernelParser.ParseText(kernel.GetRawText(), NameIn(name, n))
                : throw new InputException($"{name}: item {n} is {kernel}; a bank is a list of kernels, [[[1,2],[3,4]],[[5,6],[7,8]]]."))];
        }
        catch (JsonException e)
        {
            throw new InputException(
                $"{name}: not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}; write [[[1,2],[3,4]],...].", e);
        }
    }

    private static byte[] ReadToEnd(Stream input, string name)
    {
        var content = new MemoryStream();
        var piece = new byte[1 << 16];
        for (int count; (count = input.Read(piece)) > 0;)
        {
            if (content.Length + count > MostBytes)
                throw new InputException($"{name}: longer than {MostBytes} bytes, which no kernel needs; is it another file?");
            content.Write(piece, 0, count);
        }

        return content.ToArray();
    }

    // The numbers' own precision decides how small a singular value still counts.
    private static FilterKernel[] FromNpy(NpyArray array, string name)
    {
        var shape = array.Shape;
        if (shape.Length is not (2 or 3) || shape[0] == 0)
        {
            throw new InputException(
                $"{name}: the array has shape ({string.Join(", ", shape.ToArray())}); a kernel is (height, width), a bank "
                + "(kernels, height, width).");
        }

        var (height, width) = (shape[^2], shape[^1]);
        if (height > KernelLibrary.MaxSide || width > KernelLibrary.MaxSide)
            throw new InputException($"{name}: the kernel is {height}x{width}; sides up to {KernelLibrary.MaxSide} are supported.");
        var epsilon = array.Type switch
        {
            ElementType.Float16 => FilterKernel.HalfEpsilon,
            ElementType.Float32 => FilterKernel.SingleEpsilon,
            _ => FilterKernel.DoubleEpsilon,
        };
        var values = array.ToDoubles();
        var kernels = new FilterKernel[shape.Length == 2 ? 1 : shape[0]];
        for (var n = 0; n < kernels.Length; n++)
        {
            kernels[n] = new FilterKernel(
                values.AsSpan(n * height * width, height * width),
                height,
                width,
                epsilon,
                shape.Length == 2 ? name : NameIn(name, n));
        }

        return kernels;
    }

    private static string NameIn(string file, int kernel) => $"{file}[{kernel}]";
}
