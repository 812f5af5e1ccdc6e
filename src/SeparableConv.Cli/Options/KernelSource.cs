using System.Numerics.Tensors;
using System.Text;
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
    /// <exception cref="InputException">The file cannot be read or holds no kernel.</exception>
    /// <exception cref="ArgumentException">The text is no kernel.</exception>
    public static FilterKernel Read(string text, Terminal terminal)
    {
        if (text == Terminal.Dash)
        {
            using var input = terminal.OpenInput();
            return FromContent(input, "standard input");
        }

        if (!IsFile(text))
            return KernelParser.Parse(text);

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

    private static FilterKernel FromContent(Stream input, string name)
    {
        var bytes = ReadToEnd(input, name);
        var content = new MemoryStream(bytes);
        return NpyFile.IsNpy(content)
            ? FromNpy(NpyFile.Read(content), name)
            : KernelParser.ParseText(Encoding.UTF8.GetString(bytes), name);
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
    private static FilterKernel FromNpy(NpyArray array, string name)
    {
        var shape = array.Shape;
        if (shape.Length != 2)
            throw new InputException($"{name}: the array has shape ({string.Join(", ", shape.ToArray())}); a kernel is (height, width).");
        if (shape[0] > KernelLibrary.MaxSide || shape[1] > KernelLibrary.MaxSide)
            throw new InputException($"{name}: the kernel is {shape[0]}x{shape[1]}; sides up to {KernelLibrary.MaxSide} are supported.");
        ReadOnlySpan<nint> lengths = [shape[0], shape[1]];
        return array.Type == ElementType.Float32
            ? FilterKernel.FromTensor(new ReadOnlyTensorSpan<float>(array.As<float>(), lengths), name)
            : FilterKernel.FromTensor(new ReadOnlyTensorSpan<double>(array.ToDoubles(), lengths), name);
    }
}
