using System.Globalization;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Runs one of ONNX's own backend tests: a model, and sets of inputs and outputs.</summary>
internal static class OnnxBackend
{
    private const double Relative = 1e-3;
    private const double Absolute = 1e-5;

    /// <summary>The folders of all tests, as suite/test.</summary>
    public static string[] Folders() =>
    [
        .. new[] { "node", "pytorch-converted", "pytorch-operator", "simple" }
            .SelectMany(suite => Directory.GetDirectories(TestFiles.Shared("onnx", suite))
                .Select(folder => $"{suite}/{Path.GetFileName(folder)}"))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Runs all sets of a test; with a round trip, a network that was written and read again.</summary>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static string? Run(string folder, bool roundTrip = false)
    {
        var path = TestFiles.Shared("onnx", folder, "model.onnx");
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        var initializers = model.Graph.Initializer.Select(tensor => tensor.Name).ToHashSet();
        string[] inputs = [.. model.Graph.Input.Select(input => input.Name).Where(name => !initializers.Contains(name))];
        foreach (var set in Directory.GetDirectories(Path.GetDirectoryName(path)!, "test_data_set_*"))
        {
            var values = new Dictionary<string, TensorData>();
            for (var i = 0; i < inputs.Length; i++)
                values[inputs[i]] = Tensor(Path.Combine(set, $"input_{i}.pb"));
            var network = OnnxReader.Read(path, new() { Values = values });
            if (roundTrip)
                network = RoundTrip(network);
            using var session = new InferenceSession(network, new() { Threads = 1 });
            for (var i = 0; i < network.Inputs.Count; i++)
                values[network.Inputs[i].Name].Bytes.CopyTo(session.InputBytes(i));
            session.Run();
            for (var i = 0; i < network.Outputs.Count; i++)
            {
                if (network.Outputs[i].Name != model.Graph.Output[i].Name)
                    return $"output {i} is called '{network.Outputs[i].Name}', not '{model.Graph.Output[i].Name}'";
                if (Difference(Tensor(Path.Combine(set, $"output_{i}.pb")), session.OutputType(i), session.OutputBytes(i)) is { } wrong)
                    return $"output {i} of {Path.GetFileName(set)}: {wrong}";
            }
        }

        return null;
    }

    /// <summary>The network after it was written and read.</summary>
    public static Network RoundTrip(Network network)
    {
        using var stream = new MemoryStream();
        OnnxWriter.Write(network, stream);
        stream.Position = 0;
        return OnnxReader.Read(stream);
    }

    /// <summary>A tensor that lies in a file by itself.</summary>
    public static TensorData Tensor(string path) => OnnxTensors.Read(TensorProto.Parser.ParseFrom(File.ReadAllBytes(path)), null);

    private static string? Difference(TensorData expected, TensorType type, ReadOnlySpan<byte> bytes)
    {
        if (type.Element != expected.Type.Element || type.Shape != expected.Type.Shape)
            return $"it is {type}, expected {expected.Type}";
        var actual = TensorData.CreateZeros(type);
        bytes.CopyTo(actual.Bytes);
        if (!type.Element.IsFloat())
            return actual.Bytes.SequenceEqual(expected.Bytes) ? null : "whole numbers differ";
        for (var i = 0; i < actual.Values.Length; i++)
        {
            var (a, e) = (Number(actual, i), Number(expected, i));
            if (!a.Equals(e) && !(Math.Abs(a - e) <= Absolute + (Relative * Math.Abs(e))))
                return FormattableString.Invariant($"element {i} is {a}, expected {e}");
        }

        return null;
    }

    private static double Number(TensorData data, int index) => data.Values.GetValue(index) switch
    {
        Half half => (double)half,
        var number => Convert.ToDouble(number, CultureInfo.InvariantCulture),
    };
}
