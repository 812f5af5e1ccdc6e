using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Operators;

/// <summary>Random tensors, and what an operator that only moves elements must make of them: one index at a time.</summary>
internal static class MovedElements
{
    public static readonly ElementType[] Sizes = [ElementType.UInt8, ElementType.Float16, ElementType.Float32, ElementType.Int64];

    /// <summary>A tensor of random bits.</summary>
    public static TensorData Random(Random random, ElementType element, params int[] shape)
    {
        var data = TensorData.CreateZeros(new TensorType(element, new TensorShape(shape)));
        random.NextBytes(data.Bytes);
        return data;
    }

    /// <summary>A random shape of a rank, no dimension above <paramref name="longest"/>; one in ten has a dimension of 0.</summary>
    public static int[] Shape(Random random, int rank, int longest)
    {
        var lengths = Enumerable.Range(0, rank).Select(_ => random.Next(1, longest + 1)).ToArray();
        if (rank > 0 && random.Next(10) == 0)
            lengths[random.Next(rank)] = 0;
        return lengths;
    }

    /// <summary>
    /// Each element of the output is the input's at the index that <paramref name="source"/> gives, or 0 where it gives none.
    /// </summary>
    public static byte[] Expected(TensorData input, int[] shape, Func<int[], int[]?> source)
    {
        var size = input.Type.Element.Size();
        var expected = new byte[shape.Aggregate(1L, (a, b) => a * b) * size];
        for (var i = 0; i < expected.Length / size; i++)
        {
            if (source(Index(i, shape)) is not { } index)
                continue;
            var at = 0;
            for (var d = 0; d < index.Length; d++)
                at = (at * input.Type.Shape[d]) + index[d];
            input.Bytes.Slice(at * size, size).CopyTo(expected.AsSpan(i * size));
        }

        return expected;
    }

    /// <summary>The index of the i-th element.</summary>
    public static int[] Index(int i, int[] shape)
    {
        var index = new int[shape.Length];
        for (var d = shape.Length - 1; d >= 0; d--)
            (i, index[d]) = Math.DivRem(i, shape[d]);
        return index;
    }

    /// <summary>Runs an operator on constants and in sessions of one and two threads; all three must agree.</summary>
    public static TensorData[] Run(Operator op, params TensorData[] inputs)
    {
        var results = Evaluator.Run(op, inputs);
        foreach (var threads in new[] { 1, 2 })
        {
            var graph = new GraphBuilder();
            var values = inputs.Select((input, i) => graph.Input($"x{i}", input.Type)).ToArray();
            var node = graph.AddNode("op", op, values);
            using var session = new InferenceSession(graph.Build("one", [.. node.Outputs]), new() { Threads = threads });
            for (var i = 0; i < inputs.Length; i++)
                inputs[i].Bytes.CopyTo(session.InputBytes(i));
            session.Run();
            for (var i = 0; i < results.Length; i++)
                Assert.True(
                    results[i].Bytes.SequenceEqual(session.OutputBytes(i)),
                    $"{op.Kind} in a session of {threads} threads gives something else for output {i}.");
        }

        return results;
    }

    /// <summary>Checks one output: its shape, and its bytes.</summary>
    public static void Check(TensorData actual, int[] shape, byte[] expected, string what)
    {
        Assert.Equal(new TensorShape(shape), actual.Type.Shape);
        Assert.True(expected.AsSpan().SequenceEqual(actual.Bytes), what);
    }

    /// <summary>The same elements as another array.</summary>
    public static T[] As<T>(TensorData data)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(data.Bytes).ToArray();

    /// <summary>What an operator says of inputs that do not fit.</summary>
    public static string Refusal(Operator op, params TensorData[] inputs)
    {
        var graph = new GraphBuilder();
        var e = Assert.Throws<NetworkException>(
            () => graph.AddNode("op", op, inputs.Select((input, i) => graph.Input($"x{i}", input.Type)).ToArray()));
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }
}
