using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>
/// Compares the gradient of one operator with central differences in double precision: d(sum of seed * y)/dx, from the graph compiled
/// for 1, 2 and 7 threads (equal bits) and from its nodes run one by one.
/// </summary>
internal static class GradientCheck
{
    private const double Step = 1e-5;

    private const int MostDifferences = 300;

    private const int SampledDifferences = 12;

    /// <summary>Checks the gradients of all inputs that are float32.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="inputs">Its inputs, as far from kinks as a step of 1e-5 needs.</param>
    /// <param name="function">
    /// Its outputs in double precision from its inputs as doubles; null runs the operator itself with float64.
    /// </param>
    /// <param name="constant">Inputs whose gradient nobody wants.</param>
    /// <param name="unseeded">Outputs that nobody reads.</param>
    /// <param name="tolerance">Relative to a derivative, absolute below 1.</param>
    /// <returns>The gradients, in the order of the inputs that have one.</returns>
    public static TensorData[] Run(
        Operator op,
        TensorData[] inputs,
        Func<double[][], double[][]>? function = null,
        int[]? constant = null,
        int[]? unseeded = null,
        double tolerance = 2e-5)
    {
        function ??= numbers => InDouble(op, inputs, numbers);
        var graph = new GraphBuilder();
        Value[] values = [.. inputs.Select((input, i) => graph.Input($"x{i}", input.Type))];
        var node = graph.AddNode("op", op, values);
        int[] targets = [.. Enumerable.Range(0, inputs.Length).Where(i => IsTarget(inputs[i], i, constant))];
        int[] seeded = [.. Enumerable.Range(0, node.Outputs.Count).Where(i => IsTarget(node.Outputs[i].Type, i, unseeded))];
        TensorData[] seedData = [.. seeded.Select(i => OperatorRun.Floats(100 + i, node.Outputs[i].Shape.Lengths.ToArray()))];
        var seeds = seeded.Select(i => (node.Outputs[i], graph.Input($"seed{i}", node.Outputs[i].Type))).ToArray();
        var gradients = GradientGraph.Add(graph, seeds, [.. targets.Select(i => values[i])]);
        Assert.All(gradients, Assert.NotNull);
        var step = graph.Build("step", gradients!);

        var actual = Run(step, [.. inputs, .. seedData]);
        double[][] numbers = [.. inputs.Select(OperatorRun.Doubles)];
        double[][] weights = [.. seedData.Select(OperatorRun.Doubles)];
        CheckFunction(op, inputs, function(numbers));
        for (var t = 0; t < targets.Length; t++)
        {
            var x = numbers[targets[t]];
            Assert.Equal(inputs[targets[t]].Type.Shape, actual[t].Type.Shape);
            var result = actual[t].Span<float>();
            for (var at = 0; at < x.Length; at += x.Length > MostDifferences ? (x.Length / SampledDifferences) + 1 : 1)
            {
                var expected = Difference(function, numbers, x, at, weights, seeded);
                Assert.True(
                    Math.Abs(expected - result[at]) <= tolerance * Math.Max(1, Math.Abs(expected)),
                    $"{op.Kind}: input {targets[t]} {inputs[targets[t]].Type}, element {at}: {result[at]}, expected {expected}");
            }
        }

        return actual;
    }

    /// <summary>The outputs of a network, the same bits on 1, 2 and 7 threads and nearly the same numbers node by node.</summary>
    public static TensorData[] Run(Network step, TensorData[] data)
    {
        var alone = Compiled(step, 1, data);
        foreach (var threads in new[] { 2, 7 })
        {
            var together = Compiled(step, threads, data);
            for (var i = 0; i < alone.Length; i++)
                Assert.True(alone[i].Bytes.SequenceEqual(together[i].Bytes), $"gradient {i} differs on {threads} threads");
        }

        var plain = Evaluator.Run(step, data);
        for (var i = 0; i < alone.Length; i++)
        {
            var expected = Evaluator.Of(plain, step.Outputs[i]).Span<float>();
            var result = alone[i].Span<float>();
            for (var at = 0; at < expected.Length; at++)
                Assert.True(
                    expected[at].Equals(result[at]) || Math.Abs(expected[at] - result[at]) <= 1e-5 * Math.Max(1, Math.Abs(expected[at])),
                    $"gradient {i}, element {at}: {result[at]} compiled, {expected[at]} node by node");
        }

        return alone;
    }

    /// <summary>The gradient of an operator's first output by one input, for a seed that is given: for what happens at kinks.</summary>
    public static float[] Of(Operator op, int target, float[] seed, params TensorData[] inputs)
    {
        var graph = new GraphBuilder();
        Value[] values = [.. inputs.Select((input, i) => graph.Input($"x{i}", input.Type))];
        var y = graph.Add("op", op, values);
        var gradient = GradientGraph.Add(graph, [(y, graph.Input("seed", y.Type))], [values[target]])[0];
        Assert.NotNull(gradient);
        var seedData = TensorData.Create(seed, y.Shape.Lengths);
        return Run(graph.Build("step", gradient), [.. inputs, seedData])[0].Span<float>().ToArray();
    }

    /// <summary>Floats between -1 and 1, times a factor, none nearer to one of the kinks than 0.01.</summary>
    public static TensorData Away(int seed, float factor, float[] kinks, params int[] shape)
    {
        var numbers = OperatorRun.Floats(seed, shape).Span<float>().ToArray();
        foreach (ref var x in numbers.AsSpan())
        {
            x *= factor;
            foreach (var kink in kinks)
                x = Math.Abs(x - kink) < 0.01f ? kink + (x < kink ? -0.02f : 0.02f) : x;
        }

        return TensorData.Create(numbers, shape);
    }

    /// <summary>Floats no two of which are nearer than 1e-3, in any order.</summary>
    public static TensorData Distinct(int seed, params int[] shape)
    {
        var numbers = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = (i - (numbers.Length / 2)) * 1e-3f;
        new Random(seed).Shuffle(numbers);
        return TensorData.Create(numbers, shape);
    }

    private static bool IsTarget(TensorData input, int index, int[]? left) => IsTarget(input.Type, index, left);

    private static bool IsTarget(TensorType type, int index, int[]? left) =>
        type.Element == ElementType.Float32 && (left is null || !left.Contains(index));

    private static double[][] InDouble(Operator op, TensorData[] inputs, double[][] numbers)
    {
        TensorData[] doubles =
        [
            .. inputs.Select((input, i) => input.Type.Element == ElementType.Float32
                ? TensorData.Create((double[])numbers[i].Clone(), input.Type.Shape.Lengths)
                : input),
        ];
        return [.. Evaluator.Run(op, doubles).Select(OperatorRun.Doubles)];
    }

    // That the function of doubles is the operator's: else the differences are of something else.
    private static void CheckFunction(Operator op, TensorData[] inputs, double[][] expected)
    {
        var outputs = Evaluator.Run(op, inputs);
        for (var i = 0; i < outputs.Length; i++)
        {
            var actual = OperatorRun.Doubles(outputs[i]);
            Assert.Equal(expected[i].Length, actual.Length);
            for (var at = 0; at < actual.Length; at++)
                Assert.Equal(expected[i][at], actual[at], 1e-4 * Math.Max(1, Math.Abs(actual[at])));
        }
    }

    // Differences first, then their sum: the sum of a large output would hide a small change.
    private static double Difference(
        Func<double[][], double[][]> function, double[][] numbers, double[] x, int at, double[][] weights, int[] seeded)
    {
        var value = x[at];
        x[at] = value + Step;
        var above = function(numbers);
        x[at] = value - Step;
        var below = function(numbers);
        x[at] = value;
        var sum = 0.0;
        for (var s = 0; s < seeded.Length; s++)
        {
            for (var i = 0; i < weights[s].Length; i++)
                sum += weights[s][i] * (above[seeded[s]][i] - below[seeded[s]][i]);
        }

        return sum / (2 * Step);
    }

    private static TensorData[] Compiled(Network step, int threads, TensorData[] data)
    {
        using var compiled = new CompiledNetwork(step, new() { Threads = threads }, PassList.Step);
        using var session = new InferenceSession(compiled);
        foreach (var poison in new byte[] { 0xFF, 0 })
        {
            session.Poison(poison);
            for (var i = 0; i < data.Length; i++)
                data[i].Bytes.CopyTo(session.InputBytes(i));
            session.Run();
        }

        return
        [
            .. step.Outputs.Select((output, i) => new TensorData(
                output.Type, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.OutputBytes(i)).ToArray())),
        ];
    }
}
