using SeparableConv.Networks.Separating;

namespace SeparableConv.Bench;

/// <summary>
/// Tucker-2, what libraries for PyTorch make of a convolution (Kim et al., 2016, arXiv:1511.06530): 1x1 from C to R channels, the kernel
/// from R to S, 1x1 from S to O. The factors are found in turns, each the best for the other (higher-order orthogonal iteration).
/// </summary>
internal sealed class TuckerSplit
{
    private const int Turns = 4;

    private readonly StandardLayer _layer;

    public TuckerSplit(StandardLayer layer) => _layer = layer;

    /// <summary>
    /// The three convolutions with a share of the channels on both sides, and the share of the weights' squares that is lost.
    /// </summary>
    public (StageChain Chain, double Lost) Keep(double share)
    {
        var (taps, channels, filters) = (_layer.Taps, _layer.Channels, _layer.Filters);
        var (r, s) = (Math.Max(1, (int)(share * channels)), Math.Max(1, (int)(share * filters)));
        var outputs = Factor(_layer.Weights, taps, channels, filters, s, ofOutputs: true);
        var inputs = new float[channels * r];
        for (var turn = 0; turn < Turns; turn++)
        {
            inputs = Factor(TimesOutputs(_layer.Weights, taps * channels, filters, outputs, s), taps, channels, s, r, ofOutputs: false);
            outputs = Factor(TimesInputs(_layer.Weights, taps, channels, filters, inputs, r), taps, r, filters, s, ofOutputs: true);
        }

        var core = TimesOutputs(TimesInputs(_layer.Weights, taps, channels, filters, inputs, r), taps * r, filters, outputs, s);
        var last = new float[s * filters];
        for (var o = 0; o < filters; o++)
        {
            for (var k = 0; k < s; k++)
                last[(k * filters) + o] = outputs[(o * s) + k];
        }

        StageChain chain = new(
            [
                ConvStage.Pointwise(channels, r, 1, inputs),
                ConvStage.Standard(_layer.Kernel, r, s, _layer.Options, core),
                ConvStage.Pointwise(s, filters, 1, last),
            ],
            _layer.Bias);
        return (chain, 1 - (Squares(core) / Squares(_layer.Weights)));
    }

    // The leading vectors of the weights (taps, C, O) along their channels or filters: (C, count), or (O, count).
    private static float[] Factor(float[] weights, int taps, int channels, int filters, int count, bool ofOutputs)
    {
        var (rows, columns) = ofOutputs ? (filters, taps * channels) : (channels, taps * filters);
        var matrix = new float[rows * columns];
        for (var i = 0; i < weights.Length; i++)
        {
            var (tap, c, o) = (i / filters / channels, i / filters % channels, i % filters);
            matrix[ofOutputs ? (o * columns) + (tap * channels) + c : (c * columns) + (tap * filters) + o] = weights[i];
        }

        var decomposition = KernelSeparation.DecomposeMatrix(matrix, rows, columns);
        var factor = new float[rows * count];
        for (var k = 0; k < Math.Min(count, decomposition.Rank); k++)
        {
            var left = decomposition.Left(k);
            for (var i = 0; i < rows; i++)
                factor[(i * count) + k] = (float)left[i];
        }

        return factor;
    }

    // (rows, O) to (rows, S).
    private static float[] TimesOutputs(float[] weights, int rows, int filters, float[] outputs, int s) =>
        Loops.DenseProduct.Of(weights, rows, filters, outputs, s, threads: 2);

    // (taps, C, O) to (taps, R, O).
    private static float[] TimesInputs(float[] weights, int taps, int channels, int filters, float[] inputs, int r)
    {
        var result = new float[taps * r * filters];
        for (var tap = 0; tap < taps; tap++)
        {
            for (var c = 0; c < channels; c++)
            {
                for (var k = 0; k < r; k++)
                {
                    var factor = inputs[(c * r) + k];
                    for (var o = 0; o < filters; o++)
                        result[(((tap * r) + k) * filters) + o] += factor * weights[(((tap * channels) + c) * filters) + o];
                }
            }
        }

        return result;
    }

    private static double Squares(float[] numbers) => numbers.Sum(value => (double)value * value);
}
