using System.Text.Json.Nodes;
using SeparableConv.Imaging;
using SeparableConv.Networks;

namespace SeparableConv.Bench;

/// <summary>A model's file, and the inputs that a <c>case.json</c> gives it.</summary>
/// <param name="Name">The file's path below the folder that was searched.</param>
/// <param name="Path">The file.</param>
/// <param name="Inputs">The inputs that are given, by their names; none where no case is of this model.</param>
internal sealed record ModelCase(string Name, string Path, IReadOnlyDictionary<string, TensorData> Inputs)
{
    /// <summary>The models below a folder, or the one file; ordered by their names.</summary>
    public static IEnumerable<ModelCase> Find(string folder, bool withTFLite)
    {
        var root = File.Exists(folder) ? System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(folder))! : folder;
        var cases = new Dictionary<string, (string Folder, JsonNode Inputs)>();
        foreach (var path in Directory.EnumerateFiles(root, "case.json", SearchOption.AllDirectories))
        {
            var json = JsonNode.Parse(File.ReadAllText(path))!;
            if (json["model"] is { } model && json["inputs"] is { } inputs)
                cases[(string)model!] = (System.IO.Path.GetDirectoryName(path)!, inputs);
        }

        string[] files = File.Exists(folder) ? [folder] : Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            var end = System.IO.Path.GetExtension(file).ToLowerInvariant();
            if (end != ".onnx" && !(withTFLite && end == ".tflite"))
                continue;
            var inputs = cases.TryGetValue(System.IO.Path.GetFileName(file), out var found)
                ? found.Inputs.AsArray().ToDictionary(
                    input => (string)input!["name"]!,
                    input => Load(System.IO.Path.Combine(found.Folder, (string)input!["file"]!)))
                : [];
            yield return new(System.IO.Path.GetRelativePath(root, file), file, inputs);
        }
    }

    /// <summary>Reads the network for inputs of these shapes; a length that nothing is said of is 1.</summary>
    public Network Load(IReadOnlyDictionary<string, TensorData> inputs) => ModelFile.Load(Path, new ModelReadOptions
    {
        Shapes = inputs.ToDictionary(input => input.Key, input => input.Value.Type.Shape),
        Values = inputs.Where(input => !IsFloat(input.Value)).ToDictionary(),
        ShapeOf = input => new TensorShape([.. input.Lengths.Select(length => length ?? 1)]),
    });

    // What is given as a value may become a constant: right for a length or a choice, but floats are what is computed with.
    private static bool IsFloat(TensorData data) => data.Type.Element is ElementType.Float32 or ElementType.Float16 or ElementType.Float64;

    private static TensorData Load(string path)
    {
        var array = NpyFile.Load(path);
        var data = TensorData.CreateZeros(new TensorType(array.Type, new TensorShape(array.Shape)));
        array.Data.CopyTo(data.Bytes);
        return data;
    }
}
