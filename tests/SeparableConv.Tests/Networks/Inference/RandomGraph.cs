namespace SeparableConv.Tests.Networks.Inference;

/// <summary>Small networks put together at random: nodes read any earlier value, several values are outputs.</summary>
internal static class RandomGraph
{
    /// <summary>Makes one and compares it with its nodes one by one.</summary>
    public static void Check(int seed)
    {
        var random = new Random(seed);
        var g = new GraphSketch();
        var values = new List<Value> { g.Input(1 + (seed % 2), 6, 5, 4) };
        for (var i = 0; i < 14; i++)
        {
            // Mostly the newest value, so that chains grow.
            var x = random.Next(4) > 0 ? values[^1] : values[random.Next(values.Count)];
            values.Add(Node(g, random, x, values));
        }

        var outputs = values.Where(_ => random.Next(6) == 0).Append(values[^1]).ToArray();
        g.Check(outputs);
    }

    private static Value Node(GraphSketch g, Random random, Value x, List<Value> values)
    {
        var channels = x.Shape[3];
        switch (random.Next(11))
        {
            case 0:
                return g.Conv(x, 1, random.Next(1, 20));
            case 1:
                return g.Conv(x, 3, random.Next(1, 20), new() { Padding = Padding.Same }, bias: false);
            case 2:
                return g.Depthwise(x, 3, random.Next(1, 3), new() { Padding = Padding.Same });
            case 3:
                return g.Add(new ActivationOperator(random.Next(2) == 0 ? Activation.ReLU6 : Activation.Tanh), x);
            case 4:
                return g.Normalized(x);
            case 5:
                return g.Add(
                    new BinaryOperator(random.Next(2) == 0 ? BinaryKind.Mul : BinaryKind.Add, Activation.None), x, g.Positive(channels));
            case 6 or 7:
                var others = values.Where(value => value.Shape == x.Shape).ToArray();
                return g.Add(new BinaryOperator(BinaryKind.Sub, Activation.None), x, others[random.Next(others.Length)]);
            case 8:
                return g.Add(new ReshapeOperator(x.Shape), g.Add(new ReshapeOperator(new((int)x.Shape.ElementCount)), x));
            case 9:
                return g.Add(new TransposeOperator([0, 2, 1, 3]), g.Add(new TransposeOperator([0, 2, 1, 3]), x));
            default:
                return g.Add(new PadOperator([0, 1, 0, 0], [0, 0, 1, 0], PadMode.Constant, 0), g.Conv(x, 2, channels));
        }
    }
}
