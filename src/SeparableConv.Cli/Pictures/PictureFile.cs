using SeparableConv.Imaging.Npy;

namespace SeparableConv.Cli.Pictures;

/// <summary>A picture, and what the file it came from must pass on to the file it goes to.</summary>
/// <param name="Image">The pixels.</param>
/// <param name="IsNpy">Whether it came as .npy.</param>
/// <param name="HasChannelAxis">Whether it is an array (height, width, 1), which must not come out as (height, width).</param>
internal sealed record Picture(Image Image, bool IsNpy, bool HasChannelAxis);

/// <summary>Reads pictures from files and standard input, and writes them to files and standard output.</summary>
internal static class PictureFile
{
    public const string Png = ".png";
    public const string Npy = ".npy";

    /// <summary>Reads a picture.</summary>
    /// <param name="path">A file, or - for standard input.</param>
    /// <param name="terminal">Has standard input.</param>
    /// <param name="options">The limit of pixels.</param>
    /// <exception cref="InputException">It cannot be read; the message begins with the path.</exception>
    public static Picture Load(string path, Terminal terminal, ImageReadOptions options)
    {
        try
        {
            if (path == Terminal.Dash)
            {
                using var input = terminal.OpenInput();
                var content = new MemoryStream();
                input.CopyTo(content);
                content.Position = 0;
                return Load(content, () => ImageFile.Load(content, options));
            }

            if (Directory.Exists(path))
                return Load(Stream.Null, () => ImageFile.Load(path, options));
            using var file = File.OpenRead(path);
            return Load(file, () => file.CanSeek ? ImageFile.Load(path, options) : ImageFile.Load(file, options));
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(Named(path == Terminal.Dash ? "standard input" : path, e), e);
        }
    }

    /// <summary>Writes a picture to a file, whole or not at all.</summary>
    /// <exception cref="InputException">It cannot be written; the message begins with the path.</exception>
    public static void Save(Picture picture, string path)
    {
        try
        {
            Interruption.WriteWhole(() =>
            {
                if (picture.HasChannelAxis && Path.GetExtension(path).Equals(Npy, StringComparison.OrdinalIgnoreCase))
                    NpyFile.Save(path, NpyImage.ToArray(picture.Image, hasChannelAxis: true));
                else
                    ImageFile.Save(picture.Image, path);
            });
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(
                e is FileNotFoundException or DirectoryNotFoundException
                    ? $"'{path}' cannot be made there; choose another directory."
                    : Named(path, e), e);
        }
    }

    /// <summary>Writes a picture to standard output.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="terminal">Has standard output.</param>
    /// <param name="extension">.png or .npy.</param>
    public static void Write(Picture picture, Terminal terminal, string extension)
    {
        using var output = terminal.OpenOutput();
        if (picture.HasChannelAxis && extension == Npy)
            NpyFile.Write(output, NpyImage.ToArray(picture.Image, hasChannelAxis: true));
        else
            ImageFile.Save(picture.Image, output, extension);
        output.Flush();
    }

    /// <summary>Whether files of an extension (with its dot) hold a colour profile, or may do, for it is unknown.</summary>
    public static bool HoldsProfile(string extension) => ImageFormat.Find(extension) is null or { HoldsProfile: true };

    /// <summary>The message with the path before it, unless it names the path already.</summary>
    public static string Named(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => $"'{path}' was not found; check the path.",
        UnauthorizedAccessException => $"'{path}' may not be read or written; check its permissions and those of its directory.",
        _ when e.Message.Contains(path, StringComparison.Ordinal) => Failure.Describe(e),
        _ => $"{path}: {Failure.Describe(e)}",
    };

    private static Picture Load(Stream content, Func<Image> load)
    {
        var (isNpy, hasChannelAxis) = content.CanSeek ? Peek(content) : (false, false);
        return new Picture(load(), isNpy, hasChannelAxis);
    }

    // Only the shape in the file's header tells (height, width, 1) from (height, width).
    private static (bool IsNpy, bool HasChannelAxis) Peek(Stream content)
    {
        if (!NpyFile.IsNpy(content))
            return (false, false);

        var shape = NpyFile.ReadShape(content);
        content.Position = 0;
        return (true, shape is [_, _, 1]);
    }
}
