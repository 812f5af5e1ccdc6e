using System.Numerics;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads numbers that must be known when the model is loaded, from constants or, in older opsets, from attributes.</summary>
internal static class OnnxConstants
{
    /// <summary>Whole numbers of a constant.</summary>
    public static long[] Longs(OnnxNode node, TensorData data, string what)
    {
        if (data.Type.Shape.Rank > 1 && data.Type.Shape.ElementCount > 1)
            throw node.Error($"the {what} is {data.Type}; expected one dimension");
        return data.Values switch
        {
            long[] longs => longs,
            int[] ints => Array.ConvertAll(ints, number => (long)number),
            _ => throw node.Error($"the {what} is {data.Type}; expected int64 or int32"),
        };
    }

    /// <summary>Whole numbers of a constant that fit 32 bits.</summary>
    public static int[] Ints(OnnxNode node, TensorData data, string what) => Array.ConvertAll(Longs(node, data, what), number =>
        number is >= int.MinValue and <= int.MaxValue ? (int)number : throw node.Error($"the {what} has {number}, which is out of range"));

    /// <summary>Numbers that are an attribute in old opsets and an input in new ones; null where they are neither.</summary>
    public static long[]? OptionalLongs(OnnxGraph graph, OnnxNode node, string attribute, int input) =>
        node.Longs(attribute) is { } numbers ? numbers.Count <= FileShape.MaxRank * 2 ? [.. numbers] : throw node.Error(
            $"attribute '{attribute}' has {numbers.Count} numbers")
        : graph.OptionalConstant(node, input, attribute) is { } constant ? Longs(node, constant, attribute)
        : null;

    /// <summary>Whole numbers that are an attribute in old opsets and an input in new ones; null where they are neither.</summary>
    public static int[]? OptionalInts(OnnxGraph graph, OnnxNode node, string attribute, int input) =>
        node.Ints(attribute) ?? (graph.OptionalConstant(node, input, attribute) is { } constant ? Ints(node, constant, attribute) : null);

    /// <summary>The one number of a constant, whole or bool.</summary>
    public static long Long(OnnxNode node, TensorData data, string what) => (long)Double(node, data, what);

    /// <summary>The one number of a constant.</summary>
    public static double Double(OnnxNode node, TensorData data, string what)
    {
        if (data.Type.Shape.ElementCount != 1)
            throw node.Error($"the {what} is {data.Type}; expected one element");
        if (data.Values is bool[] truths)
            return truths[0] ? 1 : 0;
        var work = new NumberWork { Data = data };
        ElementDispatch.Numbers(data.Type.Element, ref work);
        return work.Number;
    }

    private struct NumberWork : INumberWork
    {
        public TensorData Data;
        public double Number;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Number = double.CreateTruncating(Data.Span<T>()[0]);
    }
}
