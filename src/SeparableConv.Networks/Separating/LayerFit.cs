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
    private const double Ridge = 1e-4;
    private const int Rounds = 24;

    private readonly int _threads;

    public LayerFit(int threads) => _threads = threads;

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

    // Changes weights and bias in their place, and returns the sum of the squared errors behind the activation.
    private double FitGroup(
        float[] patches, float[] wanted, int samples, float[] weights, float[] bias, FitBounds bounds, CancellationToken cancellation)
    {
        var (width, filters) = (patches.Length / samples, bias.Length);
        var mean = SampleProducts.Mean(patches, width, samples);
        var gram = SampleProducts.Sum(patches, width, patches, width, samples, isLower: true, _threads);
        SampleProducts.Center(gram, mean, mean, samples);
        var factor = TriangularFactor.Of(gram, width, Ridge);
        var rest = new float[samples * filters];
        var lost = 0.0;
        var rounds = bounds.AreNone ? 1 : Rounds;
        for (var round = 0; ; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            Predict(patches, weights, bias, samples, rest);
            lost = Rest(rest, wanted, bounds);
            if (round == rounds)
                return lost;
            var restMean = SampleProducts.Mean(rest, filters, samples);
            var change = SampleProducts.Sum(patches, width, rest, filters, samples, isLower: false, _threads);
            SampleProducts.Center(change, mean, restMean, samples);
            factor.Solve(change, filters);
            for (var i = 0; i < change.Length; i++)
            {
                weights[i] += (float)change[i];
                restMean[i % filters] -= change[i] * mean[i / filters];
            }

            for (var o = 0; o < filters; o++)
                bias[o] += (float)restMean[o];
        }
    }

    // What is still wanted, in the place of what is there; returns the sum of the squared errors behind the activation.
    private static double Rest(float[] output, float[] wanted, FitBounds bounds)
    {
        var lost = 0.0;
        for (var i = 0; i < output.Length; i++)
        {
            var (has, wants) = (output[i], wanted[i]);
            var error = Math.Clamp(has, bounds.Lower, bounds.Upper) - Math.Clamp(wants, bounds.Lower, bounds.Upper);
            lost += (double)error * error;
            if (wants <= bounds.Lower)
                wants = Math.Min(has, bounds.Lower);
            else if (wants >= bounds.Upper)
                wants = Math.Max(has, bounds.Upper);
            output[i] = wants - has;
        }

        return lost;
    }

    private static double Variance(float[] wanted, int samples, int filters, FitBounds bounds)
    {
        var (sum, squares) = (new double[filters], 0.0);
        for (var i = 0; i < wanted.Length; i++)
        {
            double value = Math.Clamp(wanted[i], bounds.Lower, bounds.Upper);
            sum[i % filters] += value;
            squares += value * value;
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
