using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv;

/// <summary>
/// Depthwise convolution: M kernels a channel, no sum across channels,
/// y[n,i,j,c*M+m] = activation(bias[c*M+m] + sum over u,v of x[n, i*s+u*d-p, j*s+v*d-p, c] * w[u,v,c,m]).
/// </summary>
/// <remarks>Keras's DepthwiseConv2D. Unequal strides are legal here, as is a stride together with a dilation.</remarks>
public sealed unsafe class DepthwiseConv2D : Convolution
{
    private readonly DepthwiseLoop _loop;
    private readonly bool _isMapped;

    /// <summary>Packs the weights.</summary>
    /// <param name="weights">(kH, kW, C, M).</param>
    /// <param name="bias">(C*M), or empty for none.</param>
    /// <param name="options">
    /// Stride, padding and the rest; its groups stay 1: a depthwise convolution has a group a channel of itself.
    /// </param>
    /// <param name="execution">Threads and the form of computing; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">A shape or an option does not fit.</exception>
    public DepthwiseConv2D(
        in ReadOnlyTensorSpan<float> weights,
        ReadOnlySpan<float> bias = default,
        ConvOptions? options = null,
        ExecutionOptions? execution = null)
        : this(weights, bias, options ?? ConvOptions.Default, execution ?? ExecutionOptions.Default, SimdWidths.Best)
    {
    }

    internal DepthwiseConv2D(
        in ReadOnlyTensorSpan<float> weights, ReadOnlySpan<float> bias, ConvOptions options, ExecutionOptions execution, SimdWidth width)
        : this(TensorDoor.Weights(weights, "(kH, kW, C, M)", "Depthwise"), weights.Lengths, bias, options, execution, width)
    {
    }

    /// <summary>Packs weights (kH, kW, E, 1) of which each output channel reads the input channel that the map names.</summary>
    internal DepthwiseConv2D(
        in ReadOnlyTensorSpan<float> weights, DepthwiseMap map, ReadOnlySpan<float> bias, ConvOptions options, ExecutionOptions execution)
        : base(new((int)weights.Lengths[0], (int)weights.Lengths[1]), map.InChannels, map.OutChannels, options, execution)
    {
        CheckGroups(options);
        var numbers = TensorDoor.Weights(weights, "(kH, kW, E, 1)", "Depthwise");
        TensorDoor.CheckShape(weights.Lengths, [KernelSize.Height, KernelSize.Width, OutChannels, 1], "depthwise weights tensor");
        TensorDoor.CheckBias(bias, OutChannels);
        DepthMultiplier = 1;
        _isMapped = true;
        _loop = new DepthwiseLoop(numbers, KernelSize, map, bias, options.Activation, SimdWidths.Best);
    }

    private DepthwiseConv2D(
        ReadOnlySpan<float> weights,
        ReadOnlySpan<nint> shape,
        ReadOnlySpan<float> bias,
        ConvOptions options,
        ExecutionOptions execution,
        SimdWidth width)
        : base(new((int)shape[0], (int)shape[1]), (int)shape[2], checked((int)(shape[2] * shape[3])), options, execution)
    {
        CheckGroups(options);
        TensorDoor.CheckBias(bias, OutChannels);
        DepthMultiplier = (int)shape[3];
        _loop = new DepthwiseLoop(weights, KernelSize, InChannels, DepthMultiplier, bias, options.Activation, width);
    }

    /// <summary>M, kernels a channel.</summary>
    public int DepthMultiplier { get; }

    internal static void CheckGroups(ConvOptions options)
    {
        if (options.Groups != 1)
            throw new ArgumentException(
                $"Groups is {options.Groups}; a depthwise convolution has one group a channel of itself, so leave Groups at 1.");
    }

    private protected override ConvGeometry CreateGeometry(int batch, Size2D input)
    {
        // A map's groups need not divide its output channels.
        var groups = _isMapped ? 1 : InChannels;
        var g = ConvGeometry.Create(
            batch, input, InChannels, OutChannels, KernelSize, Options.Stride, Options.Dilation, Options.Padding, groups);
        return g with { Groups = InChannels };
    }

    internal override void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, float* scratch, int threads) =>
        _loop.Refill(weights, bias);

    internal override void RunLoop(float* input, float* output, in ConvGeometry geometry, int threads) =>
        _loop.Run(input, output, geometry, threads);
}
