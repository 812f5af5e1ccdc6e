using SeparableConv.Imaging;
using SeparableConv.Networks.Formats;
using SeparableConv.Networks.Formats.Safetensors;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks;

/// <summary>
/// Saves the parameters of a network, without the graph, in a safetensors file, and loads them back: <see cref="Network.Parameters"/>,
/// each under its name.
/// </summary>
/// <remarks>
/// A network that was read from a file has its parameters saved in that file's shapes and order: those of an ONNX convolution are
/// (O, C/group, kH, kW), as a PyTorch module of the same names has them. One that was built has them in its own, channels last. Elements
/// have the network's type.
/// </remarks>
public static class NetworkWeights
{
    private const int MostNamed = 5;

    /// <summary>
    /// Saves the parameters. The file is written under another name beside its place, brought to the disk, and then renamed: neither a
    /// failure, nor a full disk, nor a power cut loses the file that was there before.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="path">The file, which is replaced where it is there.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(Network network, string path)
    {
        ArgumentNullException.ThrowIfNull(network);
        AtomicFile.Write(
            path,
            stream => SafetensorsWriter.Write(
                stream,
                network.Parameters.Select(parameter => new SafetensorsTensor(
                    parameter.Name,
                    StoredType(parameter),
                    () => parameter.Origin?.ToFile(parameter.Data!) ?? parameter.Data!)),
                metadata: null),
            toDisk: true);
    }

    /// <summary>Gives a network the parameters of a file, all of them.</summary>
    /// <param name="network">The network; it stays as it is.</param>
    /// <param name="path">A file that has each parameter of the network under its name, in the shape that <see cref="Save"/> gives it, and
    /// nothing else. Where the network has float32, it may have F16 and BF16.</param>
    /// <returns>The same network with the file's parameters.</returns>
    /// <exception cref="NetworkException">
    /// It is no safetensors file or is damaged, or its tensors are not those of the network: one message names what is missing, what is
    /// too much, and what has another type or shape.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Network Load(Network network, string path)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentException.ThrowIfNullOrEmpty(path);
        var what = $"'{OneLine.Of(Path.GetFileName(path))}'";
        using var stream = File.OpenRead(path);
        var reader = new SafetensorsReader(stream, what);
        var parameters = network.Parameters.ToDictionary(parameter => parameter.Name);
        Check(parameters, reader.Header.Entries, what);

        var numbers = new Dictionary<Value, TensorData>();
        foreach (var (entry, stored) in reader.ReadTensors())
        {
            var parameter = parameters[entry.Name];
            var data = stored.Type.Element == parameter.Type.Element ? stored : Widened(stored);
            numbers[parameter] = new TensorData(parameter.Type, (parameter.Origin?.ToNetwork(data) ?? data).Values);
        }

        return new ParameterReplacement(numbers).Run(network);
    }

    // All that does not fit is found before the first number is read.
    private static void Check(Dictionary<string, Value> parameters, IReadOnlyList<SafetensorsEntry> entries, string what)
    {
        var (surplus, different) = (new List<string>(), new List<string>());
        var missing = new HashSet<string>(parameters.Keys);
        foreach (var entry in entries)
        {
            var name = OneLine.Of(entry.Name);
            missing.Remove(entry.Name);
            if (!parameters.TryGetValue(entry.Name, out var parameter))
                surplus.Add($"'{name}'");
            else if (StoredType(parameter) is var wanted && !Fits(entry.Type, wanted))
                different.Add($"'{name}' is {entry.Type} and should be {wanted}");
        }

        if (missing.Count + surplus.Count + different.Count == 0)
            return;
        var missed = parameters.Keys.Where(missing.Contains).Select(name => $"'{OneLine.Of(name)}'").ToList();
        var parts = new[] { Listed("it lacks ", missed), Listed("the network does not know ", surplus), Listed("", different) };
        throw new NetworkException(
            $"{what} does not have the network's {parameters.Count} parameters: {string.Join("; ", parts.Where(part => part.Length > 0))}. "
            + "Load a file that was saved from this network, or one with the same names and shapes.");
    }

    private static string Listed(string intro, List<string> items) => items.Count == 0 ? ""
        : intro + string.Join(", ", items.Take(MostNamed)) + (items.Count > MostNamed ? $" and {items.Count - MostNamed} more" : "");

    private static bool Fits(TensorType given, TensorType wanted) =>
        given.Shape == wanted.Shape
        && (given.Element == wanted.Element || (given.Element, wanted.Element) is (ElementType.Float16, ElementType.Float32));

    private static TensorType StoredType(Value parameter) => new(parameter.Type.Element, parameter.Origin?.Shape ?? parameter.Shape);

    private static TensorData Widened(TensorData halves)
    {
        var numbers = new float[halves.Values.Length];
        halves.Type.Element.Convert<float>(halves.Bytes, numbers);
        return new TensorData(new(ElementType.Float32, halves.Type.Shape), numbers);
    }
}
