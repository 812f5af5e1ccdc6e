using System.Globalization;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Reads tensors that lie in files of their own beside the model. A model may come from anywhere, so no file outside its folder is
/// opened, and no more bytes are read than a file has.
/// </summary>
internal sealed class ExternalData(string folder)
{
    // A file may serve several tensors, even the same bytes twice; but not so often that a small model fills the memory.
    private const int MostReadings = 4;

    private readonly string _folder = Path.GetFullPath(folder);
    private readonly Dictionary<string, long> _bytesRead = [];

    /// <summary>The bytes of a tensor.</summary>
    /// <exception cref="NetworkException">
    /// The location is not allowed or not there, or has not as many bytes as the tensor needs.
    /// </exception>
    public byte[] Read(TensorProto tensor, string what, long bytes)
    {
        string? location = null;
        long offset = 0;
        long? length = null;
        foreach (var entry in tensor.ExternalData)
        {
            switch (entry.Key)
            {
                case "location":
                    location = entry.Value;
                    break;
                case "offset":
                    offset = Number(entry, what);
                    break;
                case "length":
                    length = Number(entry, what);
                    break;
            }
        }

        if (length is { } given && given != bytes)
            throw new NetworkException($"{what} needs {bytes} bytes, but its external data has {given}.");
        var file = Locate(location, what);
        if (offset > file.Length || bytes > file.Length - offset)
        {
            throw new NetworkException(
                $"{what} needs {bytes} bytes at {offset} of '{OneLine.Of(location!)}', which has {file.Length} bytes.");
        }

        var before = _bytesRead.GetValueOrDefault(file.FullName);
        if (before + bytes > file.Length * MostReadings)
        {
            throw new NetworkException(
                $"{what}: '{OneLine.Of(location!)}' is read more than {MostReadings} times over; a model reads each of its bytes once.");
        }

        _bytesRead[file.FullName] = before + bytes;
        if (bytes == 0)
            return [];

        var data = new byte[bytes];
        using var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        stream.Seek(offset, SeekOrigin.Begin);
        stream.ReadExactly(data);
        return data;
    }

    private FileInfo Locate(string? location, string what)
    {
        // ./w.bin is in the model's folder as w.bin is.
        var parts = location?.Split('/', '\\').Where(part => part != ".").ToArray() ?? [];
        var isPlain = parts.Length > 0 && !parts.Any(part => part is "" or "..");
        if (string.IsNullOrEmpty(location) || location.Contains('\0') || location.Contains(':') || !isPlain)
        {
            throw new NetworkException(
                $"{what} has its data at '{OneLine.Of(location ?? "")}'; "
                + "expected a path inside the model's own folder, without '..' and drive.");
        }

        // A link would lead out of the folder as well as '..' does.
        var path = _folder;
        foreach (var part in parts)
        {
            path = Path.Combine(path, part);
            if (new FileInfo(path).LinkTarget is not null)
            {
                throw new NetworkException(
                    $"{what} has its data at '{OneLine.Of(location)}', which is a link; put the file itself beside the model.");
            }
        }

        var file = new FileInfo(path);
        return file.Exists ? file : throw new NetworkException(
            $"{what} has its data at '{OneLine.Of(location)}', which is not beside the model.");
    }

    private static long Number(StringStringEntryProto entry, string what) =>
        long.TryParse(entry.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new NetworkException(
                $"{what} has external data with {entry.Key} '{OneLine.Of(entry.Value)}'; expected a whole number.");
}
