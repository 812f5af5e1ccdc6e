using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv;

/// <summary>
/// Depthwise separable convolution: a depthwise convolution, then a pointwise one,
/// y[n,i,j,o] = activation(bias[o] + sum over c,m of p[c*M+m,o] * sum over u,v of x[n, i*s+u*d-p, j*s+v*d-p, c] * w[u,v,c,m]).
/// </summary>
/// <remarks>
/// Keras's SeparableConv2D: stride, dilation and padding belong to the depthwise step; there is one bias and one activation,
/// after the pointwise step. By default the two steps are fused: see <see cref="Fused"/>.
/// </remarks>
public sealed unsafe class SeparableConv2D : Convolution
{
    private readonly DepthwiseLoop _depthwise;
    private readonly PointwiseLoop _pointwise;
    private readonly FusedSeparableLoop _fused;

    /// <summary>Packs the weights.</summary>
    /// <param name="depthwise">(kH, kW, C, M).</param>
    /// <param name="pointwise">(1, 1, C*M, O).</param>
    /// <param name="bias">(O), or empty for none.</param>
    /// <param name="options">Stride, padding and the rest; groups stay 1.</param>
    /// <param name="execution">Threads and the form of computing; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">A shape or an option does not fit.</exception>
    public SeparableConv2D(
        in ReadOnlyTensorSpan<float> depthwise,
        in ReadOnlyTensorSpan<float> pointwise,
        ReadOnlySpan<float> bias = default,
        ConvOptions? options = null,
        ExecutionOptions? execution = null)
        : this(
            TensorDoor.Weights(depthwise, "(kH, kW, C, M)", "Depthwise"),
            depthwise.Lengths,
            TensorDoor.Weights(pointwise, "(1, 1, C*M, O)", "Pointwise"),
            pointwise.Lengths,
            bias,
            options ?? ConvOptions.Default,
            execution ?? ExecutionOptions.Default)
    {
    }

    private SeparableConv2D(
        ReadOnlySpan<float> depthwise,
        ReadOnlySpan<nint> shape,
        ReadOnlySpan<float> pointwise,
        ReadOnlySpan<nint> pointwiseShape,
        ReadOnlySpan<float> bias,
        ConvOptions options,
        ExecutionOptions execution)
        : base(new((int)shape[0], (int)shape[1]), (int)shape[2], (int)pointwiseShape[3], options, execution)
    {
        DepthwiseConv2D.CheckGroups(options);
        DepthMultiplier = (int)shape[3];
        var expanded = checked(InChannels * DepthMultiplier);
        TensorDoor.CheckShape(pointwiseShape, [1, 1, expanded, OutChannels], "pointwise weights tensor");
        TensorDoor.CheckBias(bias, OutChannels);
        _depthwise = new DepthwiseLoop(depthwise, KernelSize, InChannels, DepthMultiplier, default, Activation.None, SimdWidths.Best);
        _pointwise = new PointwiseLoop(pointwise, expanded, OutChannels, bias, options.Activation, SimdWidths.Best);
        _fused = new FusedSeparableLoop(_depthwise, _pointwise);
    }

    /// <summary>M, kernels a channel.</summary>
    public int DepthMultiplier { get; }

    /// <summary>
    /// Whether the pointwise step consumes the depthwise output while it is in the cache (the default), or the whole depthwise
    /// output goes through memory between the two. The result is the same to the bit.
    /// </summary>
    public bool Fused { get; init; } = true;

    private protected override ConvGeometry CreateGeometry(int batch, Size2D input) => ConvGeometry.Create(
        batch, input, InChannels, OutChannels, KernelSize, Options.Stride, Options.Dilation, Options.Padding);

    internal override void RunLoop(float* input, float* output, in ConvGeometry geometry, int threads)
    {
        var expanded = InChannels * DepthMultiplier;
        var depthwise = geometry with { OutChannels = expanded, Groups = InChannels };
        if (Fused)
        {
            _fused.Run(input, output, depthwise, OutChannels, threads);
            return;
        }

        var pixels = (nint)geometry.Batch * geometry.Rows.Out * geometry.Columns.Out;
        var between = Scratch.Tile(checked(pixels * expanded));
        _depthwise.Run(input, between, depthwise, threads);
        _pointwise.Run(between, output, pixels, threads);
    }
}
