using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>
/// The gradients of a convolution by its input, its weights and its bias, made ready for images of one size and run as often as wanted.
/// Tensors are float32, dense, NHWC.
/// </summary>
/// <remarks>
/// With y[n,i,j,o] = bias[o] + sum over u,v,c of x[n, i*s+u*d-p, j*s+v*d-p, c] * w[u,v,c,o] and dy the derivative of some loss by y:
/// dx[n,a,b,c] = sum over the i,j,u,v,o that meet there of dy[n,i,j,o] * w[u,v,c,o];
/// dw[u,v,c,o] = sum over n,i,j of x[n, i*s+u*d-p, j*s+v*d-p, c] * dy[n,i,j,o]; dbias[o] = sum over n,i,j of dy[n,i,j,o]. A depthwise
/// convolution has the same with its channels apart. An activation is not part of it: dy is the derivative by the sums before it.
/// Depthwise and pointwise convolutions compute dx and dw from one reading of dy. Strides, dilations, paddings, groups and depth
/// multipliers are all there. The bits are the same on any number of threads, and a run allocates nothing once every thread has its working
/// memory. One run at a time.
/// </remarks>
/// <example><code>
/// var gradient = ConvolutionGradient.Depthwise([8, 56, 56, 128], [3, 3, 128, 1], new() { Padding = Padding.Same });
/// gradient.Run(x, weights, dy, dx, dw);
/// </code></example>
public sealed unsafe class ConvolutionGradient
{
    private readonly ConvGeometry _geometry;
    private readonly nint[] _inputShape;
    private readonly nint[] _weightsShape;
    private readonly nint[] _outputShape;
    private readonly int _threads;
    private readonly ConvGradientLoop _loop;
    private readonly PackedBuffer _scratch;

    private ConvolutionGradient(in ConvGeometry geometry, ReadOnlySpan<nint> inputShape, ReadOnlySpan<nint> weightsShape, int threads)
    {
        WorkerPool.CheckThreads(threads);
        (_geometry, _threads) = (geometry, threads);
        _inputShape = inputShape.ToArray();
        _weightsShape = weightsShape.ToArray();
        _outputShape = [geometry.Batch, geometry.Rows.Out, geometry.Columns.Out, geometry.OutChannels];
        _loop = ConvGradientLoop.Create(geometry, wantsInputGradient: true, SimdWidths.Best);
        _scratch = new PackedBuffer(_loop.ScratchFloats);
    }

    /// <summary>(N, outH, outW, O): the shape of the output and of its gradient.</summary>
    public IReadOnlyList<nint> OutputShape => _outputShape;

    /// <summary>The gradients of <see cref="Conv2D"/>, a pointwise convolution where the kernel is 1x1.</summary>
    /// <param name="inputShape">(N, inH, inW, C).</param>
    /// <param name="weightsShape">(kH, kW, C/groups, O).</param>
    /// <param name="options">Stride, padding and the rest; <see cref="ConvOptions.Default"/> where null.</param>
    /// <param name="execution">Threads; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <returns>The gradients, ready to run.</returns>
    /// <exception cref="ArgumentException">A shape or an option does not fit, or the options have an activation.</exception>
    public static ConvolutionGradient Standard(
        ReadOnlySpan<nint> inputShape, ReadOnlySpan<nint> weightsShape, ConvOptions? options = null, ExecutionOptions? execution = null)
    {
        options ??= ConvOptions.Default;
        Check(inputShape, weightsShape, "(kH, kW, C/groups, O)", options);
        var channels = checked((int)weightsShape[2] * Math.Max(1, options.Groups));
        var geometry = Geometry(inputShape, weightsShape, channels, (int)weightsShape[3], options, options.Groups);
        return new(geometry, inputShape, weightsShape, (execution ?? ExecutionOptions.Default).Threads);
    }

    /// <summary>The gradients of <see cref="DepthwiseConv2D"/>.</summary>
    /// <param name="inputShape">(N, inH, inW, C).</param>
    /// <param name="weightsShape">(kH, kW, C, M).</param>
    /// <param name="options">Stride, padding and the rest, groups 1; <see cref="ConvOptions.Default"/> where null.</param>
    /// <param name="execution">Threads; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <returns>The gradients, ready to run.</returns>
    /// <exception cref="ArgumentException">A shape or an option does not fit, or the options have an activation.</exception>
    public static ConvolutionGradient Depthwise(
        ReadOnlySpan<nint> inputShape, ReadOnlySpan<nint> weightsShape, ConvOptions? options = null, ExecutionOptions? execution = null)
    {
        options ??= ConvOptions.Default;
        Check(inputShape, weightsShape, "(kH, kW, C, M)", options);
        DepthwiseConv2D.CheckGroups(options);
        var channels = (int)weightsShape[2];
        var geometry = Geometry(inputShape, weightsShape, channels, checked(channels * (int)weightsShape[3]), options, channels);
        return new(geometry, inputShape, weightsShape, (execution ?? ExecutionOptions.Default).Threads);
    }

    /// <summary>Computes the gradients.</summary>
    /// <param name="input">(N, inH, inW, C): what the convolution read.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="outputGradient">(N, outH, outW, O): the derivative of the loss by its sums.</param>
    /// <param name="inputGradient">Receives (N, inH, inW, C); empty where it is not wanted.</param>
    /// <param name="weightGradient">Receives the weights' shape; empty where it is not wanted.</param>
    /// <param name="biasGradient">Receives (O); empty where it is not wanted.</param>
    /// <exception cref="ArgumentException">A shape does not fit, a tensor is not dense, or a result overlaps an operand.</exception>
    public void Run(
        in ReadOnlyTensorSpan<float> input,
        in ReadOnlyTensorSpan<float> weights,
        in ReadOnlyTensorSpan<float> outputGradient,
        in TensorSpan<float> inputGradient,
        in TensorSpan<float> weightGradient,
        Span<float> biasGradient = default)
    {
        Check(input.IsDense, input.Lengths, _inputShape, "input");
        Check(weights.IsDense, weights.Lengths, _weightsShape, "weights tensor");
        Check(outputGradient.IsDense, outputGradient.Lengths, _outputShape, "output gradient");
        var (wantsInput, wantsWeights) = (inputGradient.FlattenedLength > 0, weightGradient.FlattenedLength > 0);
        if (wantsInput)
            Check(inputGradient.IsDense, inputGradient.Lengths, _inputShape, "input gradient");
        if (wantsWeights)
            Check(weightGradient.IsDense, weightGradient.Lengths, _weightsShape, "weight gradient");
        if (!biasGradient.IsEmpty && biasGradient.Length != _geometry.OutChannels)
        {
            throw new ArgumentException(
                $"The bias gradient has room for {biasGradient.Length} numbers; expected {_geometry.OutChannels}, one an output channel.");
        }

        fixed (float* x = &input.GetPinnableReference(), w = &weights.GetPinnableReference(), dy = &outputGradient.GetPinnableReference())
        fixed (float* dx = &inputGradient.GetPinnableReference(), dw = &weightGradient.GetPinnableReference(), db = biasGradient)
        {
            for (var result = 0; result < 2; result++)
            {
                var target = result == 0 ? dx : dw;
                var length = result == 0 ? inputGradient.FlattenedLength : weightGradient.FlattenedLength;
                TensorDoor.CheckApart(x, input.FlattenedLength, target, length);
                TensorDoor.CheckApart(w, weights.FlattenedLength, target, length);
                TensorDoor.CheckApart(dy, outputGradient.FlattenedLength, target, length);
            }

            var call = new ConvGradientCall
            {
                Input = x,
                Weights = w,
                OutputGradient = dy,
                InputGradient = wantsInput ? dx : null,
                WeightGradient = wantsWeights ? dw : null,
            };
            if (wantsInput || wantsWeights)
                _loop.Run(call, _scratch.Pointer, _threads);
            var pixels = (nint)_geometry.Batch * _geometry.Rows.Out * _geometry.Columns.Out;
            if (!biasGradient.IsEmpty)
                PixelReduction.Run<Reduction.Sum>(dy, db, 1, pixels, _geometry.OutChannels, 1, SimdWidths.Best, _threads);
        }

        GC.KeepAlive(this);
    }

    /// <summary>Computes all three gradients into new memory.</summary>
    /// <param name="input">(N, inH, inW, C).</param>
    /// <param name="weights">The weights.</param>
    /// <param name="outputGradient">(N, outH, outW, O).</param>
    /// <returns>The gradients of the input, of the weights and of the bias.</returns>
    /// <exception cref="ArgumentException">A shape does not fit, or a tensor is not dense.</exception>
    public (Tensor<float> Input, Tensor<float> Weights, float[] Bias) Run(
        in ReadOnlyTensorSpan<float> input, in ReadOnlyTensorSpan<float> weights, in ReadOnlyTensorSpan<float> outputGradient)
    {
        var inputGradient = Tensor.CreateFromShapeUninitialized<float>(_inputShape);
        var weightGradient = Tensor.CreateFromShapeUninitialized<float>(_weightsShape);
        var bias = new float[_geometry.OutChannels];
        Run(input, weights, outputGradient, inputGradient.AsTensorSpan(), weightGradient.AsTensorSpan(), bias);
        return (inputGradient, weightGradient, bias);
    }

    private static void Check(ReadOnlySpan<nint> inputShape, ReadOnlySpan<nint> weightsShape, string layout, ConvOptions options)
    {
        if (inputShape.Length != 4)
            throw new ArgumentException($"The input has shape {TensorDoor.Shape(inputShape)}; expected (N, height, width, channels).");
        if (weightsShape.Length != 4)
            throw new ArgumentException($"The weights have shape {TensorDoor.Shape(weightsShape)}; expected {layout}.");
        foreach (var length in weightsShape)
        {
            if (length is <= 0 or > int.MaxValue)
                throw new ArgumentException($"The weights have shape {TensorDoor.Shape(weightsShape)}; every number must be 1 or more.");
        }

        if (!options.Activation.IsNone)
        {
            throw new ArgumentException(
                $"The options have the activation {options.Activation}; give none, and multiply the output gradient by its derivative "
                + "first.");
        }
    }

    private static void Check(bool isDense, ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> expected, string name)
    {
        TensorDoor.CheckDense(isDense, name);
        TensorDoor.CheckShape(lengths, expected, name);
    }

    private static ConvGeometry Geometry(
        ReadOnlySpan<nint> input, ReadOnlySpan<nint> weights, int channels, int outChannels, ConvOptions options, int groups)
    {
        if (input[3] != channels)
        {
            throw new ArgumentException(
                $"The input {TensorDoor.Shape(input)} has {input[3]} channels but the weights {TensorDoor.Shape(weights)} are for "
                + $"{channels}.");
        }

        return ConvGeometry.Create(
            TensorDoor.Dimension(input, 0, "batch"),
            new Size2D(TensorDoor.Dimension(input, 1, "height"), TensorDoor.Dimension(input, 2, "width")),
            channels,
            outChannels,
            new Size2D((int)weights[0], (int)weights[1]),
            options.Stride,
            options.Dilation,
            options.Padding,
            groups);
    }
}
