using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// Makes ONNX models in which DequantizeLinear and QuantizeLinear stand around float layers. Where it is exact, all scales are powers of
/// two and no number needs more than 24 bits: float arithmetic then rounds nowhere but in QuantizeLinear.
/// </summary>
internal sealed class QdqBuilder(int seed, bool exact, bool signed)
{
    private readonly Random _random = new(seed);
    private int _names;

    public OnnxBuilder Model { get; } = new();

    public float Scale(float about) =>
        exact ? MathF.Pow(2, MathF.Round(MathF.Log2(about))) : about * (0.8f + (0.4f * _random.NextSingle()));

    /// <summary>An input, its bytes and the numbers they stand for.</summary>
    public (string X, float Scale) Input(string name, params int[] shape)
    {
        Model.Input(name, Array.ConvertAll(shape, length => length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        return Through(name, 1f / 64);
    }

    /// <summary>Quantizes and dequantizes.</summary>
    public (string X, float Scale) Through(string x, float about)
    {
        var scale = Scale(about);
        var (q, parameters) = (Quantize(x, scale, out var names), names);
        return (Node("DequantizeLinear", [q, .. parameters]), scale);
    }

    /// <summary>Quantizes, and leaves the bytes.</summary>
    public string Quantize(string x, float scale, out string[] parameters)
    {
        parameters = [Name("s"), Name("z")];
        Model.Constant(parameters[0], [scale]);
        if (signed)
            Model.Constant(parameters[1], [(sbyte)_random.Next(-20, 20)]);
        else
            Model.Constant(parameters[1], [(byte)_random.Next(110, 150)]);
        return Node("QuantizeLinear", [x, .. parameters]);
    }

    /// <summary>int8 weights, one scale for each index along an axis or, below 0, one for all.</summary>
    public (string W, float[] Scales) Weights(int axis, params int[] shape)
    {
        var values = new sbyte[shape.Aggregate(1, (a, b) => a * b)];
        foreach (ref var value in values.AsSpan())
            value = (sbyte)_random.Next(-127, 128);
        var scales = new float[axis < 0 ? 1 : shape[axis]];
        foreach (ref var scale in scales.AsSpan())
            scale = Scale(1f / 256);
        var (w, s, z) = (Name("w"), Name("ws"), Name("wz"));
        int[] lengths = axis < 0 ? [] : [scales.Length];
        Model.Constant(w, values, shape).Constant(s, scales, lengths).Constant(z, new sbyte[scales.Length], lengths);
        return (Node("DequantizeLinear", [w, s, z], OnnxBuilder.Int("axis", Math.Max(0, axis))), scales);
    }

    /// <summary>An int32 bias in units of the sums.</summary>
    public string Bias(int count, float inputScale, float[] weightScales)
    {
        var values = new int[count];
        foreach (ref var value in values.AsSpan())
            value = _random.Next(-4000, 4000);
        var scales = Array.ConvertAll(weightScales, scale => inputScale * scale);
        var (b, s) = (Name("b"), Name("bs"));
        Model.Constant(b, values, count).Constant(s, scales, scales.Length == 1 ? [] : [scales.Length]);
        return Node("DequantizeLinear", [b, s], OnnxBuilder.Int("axis", 0));
    }

    public string Node(string type, string[] inputs, params AttributeProto[] attributes)
    {
        var output = Name("t");
        Model.Node(type, inputs, [output], attributes);
        return output;
    }

    public string Conv((string X, float Scale) x, int filters, int channels, int groups = 1, int kernel = 1, int stride = 1, int axis = 0)
    {
        var (w, scales) = Weights(axis, filters, channels / groups, kernel, kernel);
        return Node(
            "Conv",
            [x.X, w, Bias(filters, x.Scale, scales)],
            OnnxBuilder.Int("group", groups),
            OnnxBuilder.Ints("strides", stride, stride),
            OnnxBuilder.Ints("pads", kernel / 2, kernel / 2, kernel / 2, kernel / 2));
    }

    /// <summary>The network of these outputs.</summary>
    public Network Read(params string[] outputs) => Model.Output(outputs).Read();

    /// <summary>The kinds of the steps, and the outputs' bytes for random numbers.</summary>
    public static (string Kinds, byte[][] Outputs) Run(Network network, bool optimize, int threads = 1)
    {
        using var session = new InferenceSession(network, new() { Threads = threads, Optimize = optimize });
        for (var i = 0; i < network.Inputs.Count; i++)
        {
            var numbers = RandomData.Floats((int)network.Inputs[i].Type.Shape.ElementCount, i + 1);
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(numbers.AsSpan()).CopyTo(session.InputBytes(i));
        }

        session.Run();
        return (
            string.Join(' ', session.Compiled.Steps.Select(step => step.Kind)),
            [.. Enumerable.Range(0, network.Outputs.Count).Select(i => session.OutputBytes(i).ToArray())]);
    }

    private string Name(string prefix) => $"{prefix}{_names++}";
}
