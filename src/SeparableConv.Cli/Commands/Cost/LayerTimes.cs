using System.Numerics.Tensors;

namespace SeparableConv.Cli.Commands;

/// <summary>How long each form of a layer takes on this machine, now.</summary>
/// <param name="Threads">Threads used.</param>
/// <param name="Standard">Time of the standard form.</param>
/// <param name="Depthwise">Time of the first half.</param>
/// <param name="Pointwise">Time of the second half.</param>
/// <param name="Separable">Time of both halves with the intermediate image in memory.</param>
/// <param name="Fused">Time of both halves tile by tile.</param>
/// <param name="MaxDifference">The largest |fused - separable|: 0, or something is wrong.</param>
internal sealed record LayerTimes(
    int Threads, RunTimes Standard, RunTimes Depthwise, RunTimes Pointwise, RunTimes Separable, RunTimes Fused, float MaxDifference)
{
    private const int LeastRounds = 15;
    private const int MostRounds = 101;
    private const double LeastMilliseconds = 0.5;

    // Where a round is short, rounds are added until about this long is spent.
    private const double WantedMilliseconds = 2_000;

    // The weights are random but always the same, so that a run can be repeated.
    private const int Seed = 1;

    /// <summary>Runs every form on the same pixels.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="counts">Its counts.</param>
    /// <param name="pixels">H*W*C input numbers; random ones where null.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="direct">Whether the standard form is to run tap by tap.</param>
    /// <exception cref="InputException">The tensors do not fit into memory.</exception>
    public static LayerTimes Measure(Layer layer, LayerCounts counts, float[]? pixels, int threads, bool direct)
    {
        CheckMemory(layer, counts);
        var random = new Random(Seed);
        var options = new ConvOptions { Stride = layer.Stride, Dilation = layer.Dilation, Padding = layer.Padding };
        var execution = new ExecutionOptions { Threads = threads };
        var (kernel, channels, multiplier, filters) = (layer.Kernel, layer.Channels, layer.DepthMultiplier, layer.Filters);
        var depthwiseWeights = Weights(random, kernel.Height * kernel.Width, [kernel.Height, kernel.Width, channels, multiplier]);
        var pointwiseWeights = Weights(random, channels * multiplier, [1, 1, channels * multiplier, filters]);
        var standard = new Conv2D(
            Weights(random, kernel.Height * kernel.Width * channels, [kernel.Height, kernel.Width, channels, filters]),
            default,
            options,
            execution with { Winograd = !direct });
        var depthwise = new DepthwiseConv2D(depthwiseWeights, default, options, execution);
        var pointwise = new PointwiseConv2D(pointwiseWeights, execution: execution);
        var separable = new SeparableConv2D(depthwiseWeights, pointwiseWeights, default, options, execution) { Fused = false };
        var fused = new SeparableConv2D(depthwiseWeights, pointwiseWeights, default, options, execution);

        var input = Tensor.Create(
            pixels ?? Uniform(random, layer.Input.Height * layer.Input.Width * channels, 1),
            [1, layer.Input.Height, layer.Input.Width, channels]);
        var between = Tensor.CreateFromShape<float>(depthwise.OutputShape(input.Lengths));
        var output = Tensor.CreateFromShape<float>(fused.OutputShape(input.Lengths));
        var other = Tensor.CreateFromShape<float>(fused.OutputShape(input.Lengths));

        fused.Run(input, output);
        separable.Run(input, other);
        Tensor.Subtract<float>(output, other, other);
        var difference = Math.Abs(Tensor.MaxMagnitude<float>(other));

        var rounds = Rounds(() => standard.Run(input, other), () => separable.Run(input, output));
        var times = RunTimes.Interleave(
            rounds,
            [
                () => standard.Run(input, other),
                () => depthwise.Run(input, between),
                () => pointwise.Run(between, output),
                () => separable.Run(input, output),
                () => fused.Run(input, output),
            ],
            LeastMilliseconds);
        return new LayerTimes(threads, times[0], times[1], times[2], times[3], times[4], difference);
    }

    private static int Rounds(Action standard, Action separable)
    {
        standard();
        separable();
        var round = RunTimes.Once(standard).Min + (3 * RunTimes.Once(separable).Min);
        return (int)Math.Clamp(WantedMilliseconds / Math.Max(round, LeastMilliseconds * 5), LeastRounds, MostRounds);
    }

    private static Tensor<float> Weights(Random random, int terms, ReadOnlySpan<nint> shape)
    {
        var count = 1;
        foreach (var extent in shape)
            count = checked(count * (int)extent);

        // Sums of so many terms then stay near the size of the input.
        return Tensor.Create(Uniform(random, count, MathF.Sqrt(3f / terms), signed: true), shape);
    }

    private static float[] Uniform(Random random, int count, float range, bool signed = false)
    {
        var numbers = new float[count];
        for (var i = 0; i < count; i++)
            numbers[i] = range * (signed ? (2 * random.NextSingle()) - 1 : random.NextSingle());
        return numbers;
    }

    // Input, intermediate image (twice: the unfused form has its own), two outputs, and every weight as given, as a copy to pack from, and
    // packed (16/9 of it).
    private static void CheckMemory(Layer layer, LayerCounts counts)
    {
        Int128 input = (Int128)layer.Input.Height * layer.Input.Width * layer.Channels;
        Int128 positions = (Int128)counts.Geometry.Output.Height * counts.Geometry.Output.Width;
        Int128 between = positions * layer.Channels * layer.DepthMultiplier;
        Int128 output = positions * layer.Filters;
        Int128 weights = (Int128)counts.Standard.Weights + counts.Separable.Weights;
        var bytes = (input + (2 * between) + (2 * output) + (4 * weights)) * sizeof(float);
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (bytes > (Int128)(available * 0.8))
        {
            throw new InputException(
                $"Measuring this layer takes {Numbers.Bytes((long)Int128.Min(bytes, long.MaxValue))} of memory but "
                + $"{Numbers.Bytes(available)} are there; use smaller sizes, or count without --measure.");
        }

        var largest = Int128.Max(Int128.Max(input, between), Int128.Max(output, weights));
        if (largest > Array.MaxLength)
        {
            throw new InputException(
                $"A tensor of this layer has {largest} numbers; at most {Array.MaxLength} can be measured. Use smaller sizes, or count "
                + "without --measure.");
        }
    }
}
