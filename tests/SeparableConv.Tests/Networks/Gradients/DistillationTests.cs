using SeparableConv.Networks.Gradients;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>The distance from a teacher, in double precision, and its gradient against central differences.</summary>
public sealed class DistillationTests
{
    private const int Samples = 5;
    private const double Step = 1e-5;

    [Theory]
    [InlineData(1f, 1f, 3)]
    [InlineData(1f, 2f, 10)]
    [InlineData(1f, 0.5f, 1)]
    [InlineData(0.75f, 4f, 10)]
    [InlineData(0f, 2f, 7)]
    public void Loss_and_gradient_are_those_of_the_formula(float weight, float temperature, int classes)
    {
        float[] logits = Scaled(Samples * classes, 1, 3), teacher = Scaled(Samples * classes, 2, 4);
        int[] labels = [.. Enumerable.Range(0, Samples).Select(n => n * 3 % classes)];
        TensorData[] inputs = [TensorData.Create(logits, Samples, classes), TensorData.Create(teacher, Samples, classes)];
        if (weight < 1)
        {
            inputs = [.. inputs, .. Evaluator.Run(
                new SoftmaxCrossEntropyOperator(0.1f), inputs[0], TensorData.Create(labels, Samples), null, null, null)];
        }

        var outputs = Evaluator.Run(new DistillationOperator(weight, temperature), inputs);
        var numbers = Array.ConvertAll(logits, number => (double)number);
        var losses = Losses(numbers);
        for (var n = 0; n < Samples; n++)
            Assert.Equal(losses[n], outputs[0].Span<float>()[n], 2e-6 * Math.Max(1, losses[n]));
        for (var i = 0; i < numbers.Length; i++)
        {
            var at = numbers[i];
            numbers[i] = at + Step;
            var above = Losses(numbers).Average();
            numbers[i] = at - Step;
            var difference = (above - Losses(numbers).Average()) / (2 * Step);
            numbers[i] = at;
            Assert.Equal(difference, outputs[1].Span<float>()[i], 1e-6);
        }

        double[] Losses(double[] z) => [.. Enumerable.Range(0, Samples).Select(n =>
        {
            var row = z.AsSpan(n * classes, classes).ToArray();
            var plain = LogSoftmax(row, 1);
            var hard = -((0.9 * plain[labels[n]]) + (0.1 * plain.Average()));
            var (p, q) = (LogSoftmax(row, temperature), LogSoftmax([.. teacher.Skip(n * classes).Take(classes)], temperature));
            var soft = q.Zip(p, (log, other) => Math.Exp(log) * (log - other)).Sum();
            return ((1 - (double)weight) * hard) + (weight * (double)temperature * temperature * soft);
        })];
    }

    [Fact]
    public void The_same_logits_have_no_loss_and_no_gradient()
    {
        var logits = TensorData.Create(Scaled(Samples * 10, 1, 30), Samples, 10);
        var outputs = Evaluator.Run(new DistillationOperator(1, 2), logits, logits);
        Assert.All(outputs, output => Assert.All(output.Span<float>().ToArray(), number => Assert.Equal(0, number)));
    }

    [Fact]
    public void Large_logits_do_not_overflow()
    {
        var logits = TensorData.Create([3e4f, -3e4f, 0, 3e38f, -3e38f, 0], 2, 3);
        var teacher = TensorData.Create([-3e4f, 3e4f, 0, -3e38f, 3e38f, 0], 2, 3);
        var outputs = Evaluator.Run(new DistillationOperator(1, 1), logits, teacher);
        Assert.Equal(6e4, outputs[0].Span<float>()[0], 1e-2);
        Assert.Equal([0.5f, -0.5f, 0, 0.5f, -0.5f, 0], outputs[1].Span<float>().ToArray());
    }

    [Fact]
    public void Shapes_must_agree()
    {
        var logits = TensorData.Create(new float[6], 2, 3);
        foreach (var inputs in new TensorData[][]
        {
            [logits, TensorData.Create(new float[6], 3, 2)],
            [logits, logits, TensorData.Create(new float[3], 3), logits],
            [TensorData.Create(new float[0], 0, 3), TensorData.Create(new float[0], 0, 3)],
        })
            Assert.Throws<ArgumentException>(() => Evaluator.Run(new DistillationOperator(1, 1), inputs));
    }

    private static float[] Scaled(int count, int seed, float scale) => Array.ConvertAll(RandomData.Floats(count, seed), x => scale * x);

    private static double[] LogSoftmax(IReadOnlyList<double> row, double temperature)
    {
        var log = Math.Log(row.Sum(z => Math.Exp(z / temperature)));
        return [.. row.Select(z => (z / temperature) - log)];
    }

    private static double[] LogSoftmax(IReadOnlyList<float> row, double temperature) =>
        LogSoftmax(row.Select(z => (double)z).ToArray(), temperature);
}
