using SeparableConv.Networks;

namespace SeparableConv.Bench;

/// <summary>
/// A network as an ONNX file that both sides load: a file as it is, or one written for the purpose and deleted afterwards.
/// </summary>
internal sealed class NetworkFile : IDisposable
{
    private readonly bool _isTemporary;

    private NetworkFile(string path, bool isTemporary) => (Path, _isTemporary) = (path, isTemporary);

    public string Path { get; }

    /// <summary>Writes a network with its pictures channels first.</summary>
    public static NetworkFile Of(Network network)
    {
        var file = new NetworkFile(System.IO.Path.GetTempFileName(), isTemporary: true);
        OnnxWriter.Write(ChannelsFirst.Inputs(network), file.Path);
        return file;
    }

    /// <summary>Reads a file of the shared test data or from elsewhere as it is; null where it is not there to be found.</summary>
    public static Network? Load(string name) => PathOf(name) is { } path ? ModelFile.Load(path) : null;

    /// <summary>
    /// A file of the shared test data or from elsewhere; TensorFlow Lite's are written as ONNX. Null where it is not there to be found.
    /// </summary>
    public static NetworkFile? Of(string name)
    {
        if (PathOf(name) is not { } path)
            return null;
        return path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
            ? new NetworkFile(path, isTemporary: false)
            : Of(ModelFile.Load(path));
    }

    private static string? PathOf(string name)
    {
        var root = Environment.GetEnvironmentVariable("SEPCONV_DATA");
        return !System.IO.Path.IsPathRooted(name) && string.IsNullOrEmpty(root)
            ? null
            : System.IO.Path.Combine(root ?? "", "models", name);
    }

    public void Dispose()
    {
        if (_isTemporary)
            File.Delete(Path);
    }
}
