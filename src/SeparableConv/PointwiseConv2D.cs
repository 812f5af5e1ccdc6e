using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv;

/// <summary>
/// Pointwise (1x1) convolution: each pixel by itself, across channels,
/// y[n,i,j,o] = activation(bias[o] + sum over c of x[n,i,j,c] * w[c,o]).
/// </summary>
/// <remarks>It raises or lowers the depth; with an activation it is one more nonlinear layer for few parameters.</remarks>
public sealed unsafe class PointwiseConv2D : Convolution
{
    private readonly PointwiseLoop _loop;

    /// <summary>Packs the weights.</summary>
    /// <param name="weights">(1, 1, C, O).</param>
    /// <param name="bias">(O), or empty for none.</param>
    /// <param name="options">
    /// The activation; stride, dilation, padding and groups stay at their defaults, else use <see cref="Conv2D"/>.
    /// </param>
    /// <param name="execution">Threads and the form of computing; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">A shape or an option does not fit.</exception>
    public PointwiseConv2D(
        in ReadOnlyTensorSpan<float> weights,
        ReadOnlySpan<float> bias = default,
        ConvOptions? options = null,
        ExecutionOptions? execution = null)
        : this(
            TensorDoor.Weights(weights, "(1, 1, C, O)", "Pointwise"),
            weights.Lengths,
            bias,
            options ?? ConvOptions.Default,
            execution ?? ExecutionOptions.Default)
    {
    }

    private PointwiseConv2D(
        ReadOnlySpan<float> weights, ReadOnlySpan<nint> shape, ReadOnlySpan<float> bias, ConvOptions options, ExecutionOptions execution)
        : base(new((int)shape[0], (int)shape[1]), (int)shape[2], (int)shape[3], options, execution)
    {
        if (!Fits(KernelSize, options) || options.Groups != 1)
        {
            throw new ArgumentException(
                "A pointwise convolution has a 1x1 kernel, stride 1, no padding and one group; "
                + $"received kernel {KernelSize}, stride {options.Stride}, padding {options.Padding}, groups {options.Groups}. "
                + "Use Conv2D for these.");
        }

        TensorDoor.CheckBias(bias, OutChannels);
        _loop = new PointwiseLoop(weights, InChannels, OutChannels, bias, options.Activation, SimdWidths.Best);
    }

    /// <summary>Whether a convolution reads every pixel once and no border: it is then one matrix product.</summary>
    internal static bool Fits(Size2D kernel, ConvOptions options) =>
        kernel == new Size2D(1, 1) && options.Stride == new Size2D(1, 1)
        && options.Padding is { Mode: not PaddingMode.Explicit } or { Top: 0, Bottom: 0, Left: 0, Right: 0 };

    internal override void RunLoop(float* input, float* output, in ConvGeometry geometry, int threads) =>
        _loop.Run(input, output, (nint)geometry.Batch * geometry.Rows.Out * geometry.Columns.Out, threads);
}
