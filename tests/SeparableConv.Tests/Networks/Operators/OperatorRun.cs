namespace SeparableConv.Tests.Networks.Operators;

/// <summary>
/// Runs an operator in every way there is: as constants are folded, and in sessions of one and of three threads with constants packed.
/// </summary>
internal static class OperatorRun
{
    /// <summary>
    /// The outputs without preparation, and those of a session in which all inputs from <paramref name="firstConstant"/> on are constants.
    /// </summary>
    public static IReadOnlyList<TensorData[]> All(Operator op, int firstConstant, params TensorData?[] inputs)
    {
        var alone = Session(op, firstConstant, inputs, 1);
        var together = Session(op, firstConstant, inputs, 3);
        for (var i = 0; i < alone.Length; i++)
            Assert.True(alone[i].Bytes.SequenceEqual(together[i].Bytes), $"Output {i} of {op.Kind} differs between 1 and 3 threads.");
        return [Evaluator.Run(op, inputs), alone];
    }

    /// <summary>The first output in every way, all of them within a bound of the expected numbers.</summary>
    public static void Check(
        Operator op, int firstConstant, double[] expected, int[] shape, Func<int, double> bound, params TensorData?[] inputs)
    {
        foreach (var outputs in All(op, firstConstant, inputs))
        {
            Assert.Equal(new TensorShape(shape), outputs[0].Type.Shape);
            var actual = Doubles(outputs[0]);
            for (var i = 0; i < expected.Length; i++)
            {
                var isNear = Math.Abs(expected[i] - actual[i]) <= bound(i) || expected[i].Equals(actual[i]);
                Assert.True(isNear, $"{op.Kind}: element {i} is {actual[i]:R}, expected {expected[i]:R} within {bound(i):E2}.");
            }
        }
    }

    /// <summary>The numbers of any type as doubles.</summary>
    public static double[] Doubles(TensorData data) => data.Values switch
    {
        Half[] halves => Array.ConvertAll(halves, h => (double)h),
        bool[] truths => Array.ConvertAll(truths, t => t ? 1.0 : 0),
        _ => [.. data.Values.Cast<IConvertible>().Select(v => v.ToDouble(null))],
    };

    /// <summary>Floats between -1 and 1.</summary>
    public static TensorData Floats(int seed, params int[] shape) =>
        TensorData.Create(RandomData.Floats(shape.Aggregate(1, (a, b) => a * b), seed), shape);

    /// <summary>Whole numbers of any type, from a range.</summary>
    public static TensorData Wholes<T>(int seed, int least, int most, params int[] shape)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var random = new Random(seed);
        var values = new T[shape.Aggregate(1, (a, b) => a * b)];
        foreach (ref var value in values.AsSpan())
            value = T.CreateSaturating(random.Next(least, most + 1));
        return TensorData.Create(values, shape);
    }

    /// <summary>The index of an element in the shape it is broadcast from.</summary>
    public static int BroadcastIndex(int index, int[] output, int[] shape)
    {
        int at = 0, stride = 1;
        for (var i = 1; i <= output.Length; i++)
        {
            var position = index % output[^i];
            index /= output[^i];
            if (i > shape.Length)
                continue;
            at += shape[^i] == 1 ? 0 : position * stride;
            stride *= shape[^i];
        }

        return at;
    }

    private static TensorData[] Session(Operator op, int firstConstant, TensorData?[] inputs, int threads)
    {
        var graph = new GraphBuilder();
        var values = new Value?[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            values[i] = inputs[i] is not { } data ? null
                : i >= firstConstant ? graph.Constant($"c{i}", data)
                : graph.Input($"x{i}", data.Type);
        var node = graph.AddNode("op", op, values);
        var network = graph.Build("one", [.. node.Outputs]);
        using var session = new InferenceSession(network, new() { Threads = threads });
        for (var run = 0; run < 2; run++)
        {
            for (int i = 0, next = 0; i < Math.Min(firstConstant, inputs.Length); i++)
            {
                if (inputs[i] is { } data)
                    data.Bytes.CopyTo(session.InputBytes(next++));
            }

            session.Run();
        }

        var outputs = new TensorData[node.Outputs.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            outputs[i] = TensorData.CreateZeros(node.Outputs[i].Type);
            session.OutputBytes(i).CopyTo(outputs[i].Bytes);
        }

        return outputs;
    }
}
