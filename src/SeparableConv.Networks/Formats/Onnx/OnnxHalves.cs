using System.Numerics.Tensors;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Floats of 16 bits, by one rule: what is stored in them is read as float32, and all arithmetic is float32. Only what a caller gives and
/// gets has the file's own type, and a Cast to float16 rounds. There is no .NET type for bfloat16, which is float32 at the ends too.
/// </summary>
internal static class OnnxHalves
{
    /// <summary>The type that numbers have here which are of that type in the file.</summary>
    public static ElementType Computed(ElementType element) => element == ElementType.Float16 ? ElementType.Float32 : element;

    /// <summary>The same numbers as float32, where they are float16.</summary>
    public static TensorData Widened(TensorData data)
    {
        if (data.Values is not Half[] halves)
            return data;
        var floats = new float[halves.Length];
        TensorPrimitives.ConvertToSingle(halves, floats);
        return new(data.Type with { Element = ElementType.Float32 }, floats);
    }

    /// <summary>An input as float32, where it is float16.</summary>
    public static Value Widened(GraphBuilder graph, Value input) => input.Type.Element == ElementType.Float16
        ? graph.Add($"{input.Name}/float32", new CastOperator(ElementType.Float32), input)
        : input;

    /// <summary>An output in the type that the file says, where that is float16.</summary>
    public static Value Narrowed(GraphBuilder graph, Value output, int declared) =>
        OnnxElements.TryRead(declared) == ElementType.Float16 && output.Type.Element == ElementType.Float32
            ? graph.Add($"{output.Name}/float16", new CastOperator(ElementType.Float16), output)
            : output;

    /// <summary>A result in the type that the file says, where that is float16.</summary>
    public static TensorData Narrowed(TensorData result, ElementType declared) =>
        declared == ElementType.Float16 && result.Type.Element == ElementType.Float32
            ? Evaluator.Run(new CastOperator(ElementType.Float16), result)[0]
            : result;

    /// <summary>Adds the nodes of a Cast: numbers that go to float16 are rounded to it, and stay float32.</summary>
    public static Value Cast(OnnxGraph graph, string name, Value x, ElementType to)
    {
        if (to == ElementType.Float16)
            (x, to) = (graph.Emit($"{name}/float16", new CastOperator(ElementType.Float16), x), ElementType.Float32);
        return x.Type.Element == to ? x : graph.Emit(name, new CastOperator(to), x);
    }
}
