using System.Numerics.Tensors;
using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>
/// A convolution made ready once, weights packed, and run as often as wanted. Tensors are float32, dense, NHWC: input
/// (N, inH, inW, C), output (N, outH, outW, O). One-dimensional convolution is height 1.
/// </summary>
/// <remarks>
/// A convolution never changes after it was made and can be run by several threads at once. Running into a given output
/// allocates nothing once every thread has its working memory. The result is the same to the bit on any number of threads.
/// </remarks>
public abstract unsafe class Convolution
{
    private protected Convolution(Size2D kernel, int inChannels, int outChannels, ConvOptions options, ExecutionOptions execution)
    {
        ArgumentNullException.ThrowIfNull(options);
        WorkerPool.CheckThreads(execution.Threads);
        if (options.Activation.RequiredChannels is > 0 and var slopes && slopes != outChannels)
            throw new ArgumentException(
                $"PReLU has {slopes} slopes but the convolution has {outChannels} output channels; give one a channel, or one for all.");

        KernelSize = kernel;
        InChannels = inChannels;
        OutChannels = outChannels;
        Options = options;
        Execution = execution;

        // Sizes that are wrong for every input are refused here; an input as large as the kernel fits any padding.
        var fits = new Size2D(
            (int)Math.Min(int.MaxValue / 4, ((long)options.Dilation.Height * Math.Max(0, kernel.Height - 1)) + 1),
            (int)Math.Min(int.MaxValue / 4, ((long)options.Dilation.Width * Math.Max(0, kernel.Width - 1)) + 1));
        _ = ConvGeometry.Create(
            1, new(Math.Max(1, fits.Height), Math.Max(1, fits.Width)), inChannels, outChannels, kernel,
            options.Stride, options.Dilation, options.Padding, options.Groups);
    }

    /// <summary>Height and width of the kernel.</summary>
    public Size2D KernelSize { get; }

    /// <summary>C, channels of the input.</summary>
    public int InChannels { get; }

    /// <summary>O, channels of the output.</summary>
    public int OutChannels { get; }

    /// <summary>Stride, dilation, padding, groups and activation.</summary>
    public ConvOptions Options { get; }

    /// <summary>Threads, and whether Winograd's form may be used.</summary>
    public ExecutionOptions Execution { get; }

    /// <summary>The sizes for an input.</summary>
    /// <param name="inputShape">(N, inH, inW, C).</param>
    /// <returns>The sizes; they give the cost too (<see cref="ConvCost"/>).</returns>
    /// <exception cref="ArgumentException">The shape does not fit the convolution.</exception>
    public ConvGeometry Geometry(ReadOnlySpan<nint> inputShape)
    {
        if (inputShape.Length != 4)
        {
            throw new ArgumentException(
                $"The input has shape {TensorDoor.Shape(inputShape)}; expected 4 dimensions (N, height, width, {InChannels}). "
                + "Reshape a single image to N = 1.");
        }

        if (inputShape[3] != InChannels)
        {
            throw new ArgumentException(
                $"The input {TensorDoor.Shape(inputShape)} has {inputShape[3]} channels but the convolution was made for {InChannels}; "
                + "the last dimension is the channels (NHWC).");
        }

        return CreateGeometry(
            TensorDoor.Dimension(inputShape, 0, "batch"),
            new Size2D(TensorDoor.Dimension(inputShape, 1, "height"), TensorDoor.Dimension(inputShape, 2, "width")));
    }

    /// <summary>The shape of the output for an input.</summary>
    /// <param name="inputShape">(N, inH, inW, C).</param>
    /// <returns>(N, outH, outW, O).</returns>
    /// <exception cref="ArgumentException">The shape does not fit the convolution.</exception>
    public nint[] OutputShape(ReadOnlySpan<nint> inputShape)
    {
        var g = Geometry(inputShape);
        return [g.Batch, g.Rows.Out, g.Columns.Out, OutChannels];
    }

    /// <summary>Computes the output.</summary>
    /// <param name="input">(N, inH, inW, C), dense.</param>
    /// <returns>(N, outH, outW, O).</returns>
    /// <exception cref="ArgumentException">
    /// The input's shape does not fit, it is not dense, or the output is too large for a tensor.
    /// </exception>
    public Tensor<float> Run(in ReadOnlyTensorSpan<float> input)
    {
        var shape = OutputShape(input.Lengths);
        var length = (Int128)shape[0] * shape[1] * shape[2] * shape[3];
        if (length > Array.MaxLength)
            throw new ArgumentException(
                $"The output {TensorDoor.Shape(shape)} has {length} numbers; at most {Array.MaxLength} fit a tensor. "
                + "Run a part of the batch or of the image at a time.");
        var output = Tensor.CreateFromShapeUninitialized<float>(shape);
        Run(input, output.AsTensorSpan());
        return output;
    }

    /// <summary>Computes the output into memory that is there.</summary>
    /// <param name="input">(N, inH, inW, C), dense.</param>
    /// <param name="output">(N, outH, outW, O), dense; does not overlap the input.</param>
    /// <exception cref="ArgumentException">A shape does not fit, a tensor is not dense, or the two overlap.</exception>
    public void Run(in ReadOnlyTensorSpan<float> input, in TensorSpan<float> output)
    {
        var geometry = Geometry(input.Lengths);
        TensorDoor.CheckDense(input.IsDense, "input");
        TensorDoor.CheckDense(output.IsDense, "output");
        TensorDoor.CheckShape(output.Lengths, [geometry.Batch, geometry.Rows.Out, geometry.Columns.Out, OutChannels], "output");
        fixed (float* x = &input.GetPinnableReference(), y = &output.GetPinnableReference())
        {
            TensorDoor.CheckApart(x, input.FlattenedLength, y, output.FlattenedLength);
            RunLoop(x, y, geometry, Execution.Threads);
        }
    }

    private protected virtual ConvGeometry CreateGeometry(int batch, Size2D input) => ConvGeometry.Create(
        batch, input, InChannels, OutChannels, KernelSize, Options.Stride, Options.Dilation, Options.Padding, Options.Groups);

    /// <summary>
    /// Packs now what the first image of this size would have packed, and lets go of what no other size needs, as if none will come.
    /// </summary>
    internal virtual void MakeReady(in ConvGeometry geometry)
    {
    }

    /// <summary>Floats that <see cref="Refill"/> needs.</summary>
    internal virtual nint RefillFloats => 0;

    /// <summary>
    /// Packs other weights, and a bias where there is one, in the place of those before, for the sizes that <see cref="MakeReady"/> was
    /// called for; allocates nothing. For convolutions of one kernel. None may be running.
    /// </summary>
    internal virtual void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, float* scratch, int threads) =>
        throw new NotSupportedException($"{GetType().Name} has more than one kernel.");

    /// <summary>Computes images that were checked, on at most <paramref name="threads"/> threads.</summary>
    internal abstract void RunLoop(float* input, float* output, in ConvGeometry geometry, int threads);
}
