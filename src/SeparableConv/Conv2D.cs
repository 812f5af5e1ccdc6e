using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv;

/// <summary>
/// Standard convolution (a correlation, as in every framework),
/// y[n,i,j,o] = activation(bias[o] + sum over u,v,c of x[n, i*s+u*d-p, j*s+v*d-p, c] * w[u,v,c,o]), with groups where asked.
/// </summary>
/// <remarks>
/// Keras's Conv2D; ONNX's and PyTorch's up to their layout. 3x3 with stride 1 may run after Winograd, by the size of the image
/// (<see cref="ExecutionOptions.Winograd"/>): its weights are then packed at the first run.
/// </remarks>
/// <example><code>
/// var conv = new Conv2D(weights, bias, new() { Stride = 2, Padding = Padding.Same, Activation = Activation.ReLU });
/// Tensor&lt;float&gt; y = conv.Run(x);
/// </code></example>
public sealed unsafe class Conv2D : Convolution
{
    // One channel is a depthwise convolution as well, whose kernel copies each pixel once for every filter.
    private const int LeastFiltersOfOneChannel = 4;

    private readonly PointwiseLoop? _pointwise;
    private readonly DepthwiseLoop? _depthwise;
    private readonly StandardForms? _standard;

    /// <summary>Packs the weights, or copies them where the image decides how they are packed.</summary>
    /// <param name="weights">(kH, kW, C/groups, O).</param>
    /// <param name="bias">(O), or empty for none.</param>
    /// <param name="options">Stride, padding and the rest; <see cref="ConvOptions.Default"/> where null.</param>
    /// <param name="execution">Threads and the form of computing; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <exception cref="ArgumentException">A shape or an option does not fit.</exception>
    public Conv2D(
        in ReadOnlyTensorSpan<float> weights,
        ReadOnlySpan<float> bias = default,
        ConvOptions? options = null,
        ExecutionOptions? execution = null)
        : this(weights, bias, options ?? ConvOptions.Default, execution ?? ExecutionOptions.Default, SimdWidths.Best)
    {
    }

    internal Conv2D(
        in ReadOnlyTensorSpan<float> weights, ReadOnlySpan<float> bias, ConvOptions options, ExecutionOptions execution, SimdWidth width)
        : this(TensorDoor.Weights(weights, "(kH, kW, C/groups, O)", "Standard"), weights.Lengths, bias, options, execution, width)
    {
    }

    private Conv2D(
        ReadOnlySpan<float> weights,
        ReadOnlySpan<nint> shape,
        ReadOnlySpan<float> bias,
        ConvOptions options,
        ExecutionOptions execution,
        SimdWidth width)
        : base(new((int)shape[0], (int)shape[1]), Channels((int)shape[2], options), (int)shape[3], options, execution)
    {
        TensorDoor.CheckBias(bias, OutChannels);
        if (options.Groups == 1 && PointwiseConv2D.Fits(KernelSize, options))
            _pointwise = new PointwiseLoop(weights, InChannels, OutChannels, bias, options.Activation, width);
        else if (options.Groups == InChannels && (options.Groups > 1 || OutChannels < LeastFiltersOfOneChannel))
            _depthwise = new DepthwiseLoop(weights, KernelSize, InChannels, OutChannels / InChannels, bias, options.Activation, width);
        else
        {
            var form = execution.Winograd ? StandardForm.Auto : StandardForm.Direct;
            _standard = new StandardForms(weights, KernelSize, InChannels, OutChannels, options, bias, width, form);
        }
    }

    private static int Channels(int groupChannels, ConvOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Groups < 1 || (long)groupChannels * options.Groups > int.MaxValue)
            throw new ArgumentException(
                $"Groups is {options.Groups}; it must be at least 1, and groups times {groupChannels} channels at most {int.MaxValue}.");
        return groupChannels * options.Groups;
    }

    internal override void MakeReady(in ConvGeometry geometry) => _standard?.MakeReady(geometry);

    internal override nint RefillFloats => _standard?.RefillFloats ?? 0;

    internal override void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, float* scratch, int threads)
    {
        _pointwise?.Refill(weights, bias, threads);
        _depthwise?.Refill(weights, bias);
        _standard?.Refill(weights, bias, scratch, threads);
    }

    internal override void RunLoop(float* input, float* output, in ConvGeometry geometry, int threads)
    {
        if (_pointwise is not null)
            _pointwise.Run(input, output, (nint)geometry.Batch * geometry.Rows.Out * geometry.Columns.Out, threads);
        else if (_depthwise is not null)
            _depthwise.Run(input, output, geometry, threads);
        else
            _standard!.Run(input, output, geometry, threads);
    }
}
