using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Separating;

/// <summary>What comes behind a layer's sums, as far as a fit can look: values outside the bounds are as good as the bounds.</summary>
/// <param name="Lower">The least value that is told from others.</param>
/// <param name="Upper">The greatest.</param>
internal readonly record struct FitBounds(float Lower, float Upper)
{
    public static FitBounds None => new(float.NegativeInfinity, float.PositiveInfinity);

    public bool AreNone => float.IsNegativeInfinity(Lower) && float.IsPositiveInfinity(Upper);
}

/// <summary>
/// Fits weights and bias of a convolution to wanted outputs, by least squares over samples: y = W'z + b for patches z, group by group.
/// </summary>
/// <remarks>
/// Changes of the weights are fitted, not the weights: where samples say nothing the weights stay. Behind a ReLU sums below 0 need only
/// stay there. So a sample whose wanted sum lies outside the bounds asks for what it has, as soon as that lies outside too, and the fit is
/// done again; each round makes the error behind the activation smaller (a majorization of it). The inverse is the same in all rounds.
/// </remarks>
internal sealed class LayerFit
{
    private const double LeastRidge = 1e-4;
    private const double RidgeOfFew = 0.1;
    public const int UsualRounds = 10;

    // Numbers whose squares are added in floats before their sum is a double.
    private const int BlockNumbers = 4096;

    private readonly int _threads;

    public LayerFit(int threads) => _threads = threads;

    /// <summary>
    /// What a fit adds to the variance of each number it reads, a share of their mean: the more, the fewer samples there are for a number,
    /// so that what few samples say by chance is not believed.
    /// </summary>
    public static double RidgeFor(int numbers, int samples) => Math.Max(LeastRidge, RidgeOfFew * numbers / samples);

    /// <summary>How often the fit is done where an activation follows.</summary>
    public int Rounds { get; init; } = UsualRounds;

    /// <summary>The share of the variance behind the activation that the fit does not give back.</summary>
    public double Error { get; private set; }

    /// <summary>Fits.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="patches">(samples, taps*C/groups) for each group.</param>
    /// <param name="wanted">(samples, O).</param>
    /// <param name="samples">How many.</param>
    /// <param name="weights">(kH, kW, C/groups, O) to begin with.</param>
    /// <param name="bias">(O) to begin with; null for zeros.</param>
    /// <param name="bounds">What the activation can tell apart.</param>
    /// <param name="cancellation">Ends it early.</param>
    public (float[] Weights, float[] Bias) Fit(
        in ConvGeometry geometry,
        float[][] patches,
        float[] wanted,
        int samples,
        float[] weights,
        float[]? bias,
        FitBounds bounds,
        CancellationToken cancellation)
    {
        var (filters, groups) = (geometry.OutChannels, geometry.Groups);
        var groupFilters = filters / groups;
        var (fitted, fittedBias) = ((float[])weights.Clone(), new float[filters]);
        bias?.CopyTo(fittedBias, 0);
        var (lost, variance) = (0.0, 0.0);
        for (var group = 0; group < groups; group++)
        {
            var target = Columns(wanted, samples, filters, group * groupFilters, groupFilters);
            var own = Columns(fitted, weights.Length / filters, filters, group * groupFilters, groupFilters);
            var ownBias = fittedBias.AsSpan(group * groupFilters, groupFilters).ToArray();
            lost += FitGroup(patches[group], target, samples, own, ownBias, bounds, cancellation);
            variance += Variance(target, samples, groupFilters, bounds);
            for (var d = 0; d < weights.Length / filters; d++)
                own.AsSpan(d * groupFilters, groupFilters).CopyTo(fitted.AsSpan((d * filters) + (group * groupFilters)));
            ownBias.CopyTo(fittedBias, group * groupFilters);
        }

        Error = variance > 0 ? lost / variance : 0;
        return (fitted, fittedBias);
    }

    /// <summary>What one group's outputs still lack to be as good as those wanted: (samples, O).</summary>
    public float[] Rest(float[] patches, float[] weights, float[] bias, float[] wanted, FitBounds bounds)
    {
        var samples = patches.Length / (weights.Length / bias.Length);
        var rest = new float[samples * bias.Length];
        Predict(patches, weights, bias, samples, rest);
        Rest(rest, wanted.AsSpan(0, rest.Length), bounds);
        return rest;
    }

    // Changes weights and bias in their place, and returns the sum of the squared errors behind the activation.
    private double FitGroup(
        float[] patches, float[] wanted, int samples, float[] weights, float[] bias, FitBounds bounds, CancellationToken cancellation)
    {
        var (width, filters) = (patches.Length / samples, bias.Length);
        var mean = SampleProducts.Mean(patches, width, samples);
        var gram = SampleProducts.Sum(patches, width, patches, width, samples, isLower: true, _threads);
        SampleProducts.Center(gram, mean, mean, samples);
        var factor = TriangularFactor.Of(gram, width, RidgeFor(width, samples));
        var rest = new float[samples * filters];
        var rounds = bounds.AreNone ? 1 : Rounds;

        // Each round begins a little further on the way of the one before it (Nesterov, 1983; Beck and Teboulle, 2009).
        var (ahead, aheadBias, momentum) = ((float[])weights.Clone(), (float[])bias.Clone(), 1.0);
        for (var round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            Predict(patches, ahead, aheadBias, samples, rest);
            Rest(rest, wanted, bounds);
            var restMean = SampleProducts.Mean(rest, filters, samples);
            var change = SampleProducts.Sum(patches, width, rest, filters, samples, isLower: false, _threads);
            SampleProducts.Center(change, mean, restMean, samples);
            factor.Solve(change, filters, _threads);
            for (var i = 0; i < width; i++)
                TensorPrimitives.MultiplyAdd(change.AsSpan(i * filters, filters), -mean[i], restMean, restMean);
            var next = (1 + Math.Sqrt(1 + (4 * momentum * momentum))) / 2;
            var further = round == rounds - 1 ? 0 : (momentum - 1) / next;
            momentum = next;
            Advance(weights, ahead, change, further);
            Advance(bias, aheadBias, restMean, further);
        }

        Predict(patches, weights, bias, samples, rest);
        return Rest(rest, wanted, bounds);
    }

    private static void Advance(float[] at, float[] ahead, double[] change, double further)
    {
        for (var i = 0; i < at.Length; i++)
        {
            var now = ahead[i] + change[i];
            ahead[i] = (float)(now + (further * (now - at[i])));
            at[i] = (float)now;
        }
    }

    // What is still wanted, in the place of what is there; returns the sum of the squared errors behind the activation.
    private static double Rest(float[] output, ReadOnlySpan<float> wanted, FitBounds bounds)
    {
        var lost = 0.0;
        var (lower, upper) = (Vector.Create(bounds.Lower), Vector.Create(bounds.Upper));
        for (var first = 0; first < output.Length; first += BlockNumbers)
        {
            var has = output.AsSpan(first, Math.Min(BlockNumbers, output.Length - first));
            var wants = wanted.Slice(first, has.Length);
            var squares = Vector<float>.Zero;
            var i = 0;
            for (; i <= has.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var (h, w) = (new Vector<float>(has[i..]), new Vector<float>(wants[i..]));
                var error = Vector.Min(Vector.Max(h, lower), upper) - Vector.Min(Vector.Max(w, lower), upper);
                squares += error * error;
                w = Vector.ConditionalSelect(Vector.LessThanOrEqual(w, lower), Vector.Min(h, lower), w);
                w = Vector.ConditionalSelect(Vector.GreaterThanOrEqual(w, upper), Vector.Max(h, upper), w);
                (w - h).CopyTo(has[i..]);
            }

            lost += Vector.Sum(squares);
            for (; i < has.Length; i++)
            {
                var (h, w) = (has[i], wants[i]);
                var error = Math.Clamp(h, bounds.Lower, bounds.Upper) - Math.Clamp(w, bounds.Lower, bounds.Upper);
                lost += (double)error * error;
                w = w <= bounds.Lower ? Math.Min(h, bounds.Lower) : w >= bounds.Upper ? Math.Max(h, bounds.Upper) : w;
                has[i] = w - h;
            }
        }

        return lost;
    }

    private static double Variance(float[] wanted, int samples, int filters, FitBounds bounds)
    {
        var (sum, squares, row) = (new double[filters], 0.0, new float[filters]);
        for (var n = 0; n < samples; n++)
        {
            TensorPrimitives.Clamp(wanted.AsSpan(n * filters, filters), bounds.Lower, bounds.Upper, row);
            squares += TensorPrimitives.SumOfSquares<float>(row);
            for (var o = 0; o < filters; o++)
                sum[o] += row[o];
        }

        return squares - (TensorPrimitives.SumOfSquares<double>(sum) / samples);
    }

    private unsafe void Predict(float[] patches, float[] weights, float[] bias, int samples, float[] output) =>
        PackedBuffer.FreeMadeBy(() =>
        {
            var loop = new PointwiseLoop(weights, patches.Length / samples, bias.Length, bias, Activation.None, SimdWidths.Best);
            fixed (float* x = patches, y = output)
                loop.Run(x, y, samples, _threads);
        });

    private static float[] Columns(float[] rows, int count, int width, int first, int wanted)
    {
        if (wanted == width)
            return (float[])rows.Clone();
        var columns = new float[count * wanted];
        for (var i = 0; i < count; i++)
            rows.AsSpan((i * width) + first, wanted).CopyTo(columns.AsSpan(i * wanted));
        return columns;
    }
}
