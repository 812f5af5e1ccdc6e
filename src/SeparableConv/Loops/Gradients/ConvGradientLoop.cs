namespace SeparableConv.Loops;

/// <summary>The gradients of a convolution for images of one size. It holds memory that a run changes: one run at a time.</summary>
internal abstract unsafe class ConvGradientLoop
{
    /// <summary>Floats that <see cref="Run"/> needs beside its tensors.</summary>
    public abstract nint ScratchFloats { get; }

    /// <summary>The loop for a convolution.</summary>
    /// <param name="geometry">The sizes.</param>
    /// <param name="wantsInputGradient">Whether the gradient of the input will ever be asked for.</param>
    /// <param name="width">The vector width to run with.</param>
    public static ConvGradientLoop Create(in ConvGeometry geometry, bool wantsInputGradient, SimdWidth width)
    {
        if (IsPointwise(geometry))
        {
            var pixels = (nint)geometry.Batch * geometry.Rows.In * geometry.Columns.In;
            return new PointwiseGradientLoop(pixels, geometry.InChannels, geometry.OutChannels, wantsInputGradient, width);
        }

        return IsDepthwise(geometry)
            ? new DepthwiseGradientLoop(geometry, width)
            : new StandardGradientLoop(geometry, wantsInputGradient, width);
    }

    /// <summary>Whether tensors can be mapped as they are read: what is done to them is little beside the convolution else.</summary>
    public static bool CanMap(in ConvGeometry geometry) => IsPointwise(geometry) || IsDepthwise(geometry);

    /// <summary>Whether every pixel is a row of one matrix product.</summary>
    public static bool IsPointwise(in ConvGeometry geometry) =>
        geometry is { Groups: 1, Rows: { Kernel: 1, Stride: 1 }, Columns: { Kernel: 1, Stride: 1 } } && geometry.Input == geometry.Output;

    /// <summary>Whether each channel is a convolution of its own.</summary>
    public static bool IsDepthwise(in ConvGeometry geometry) => geometry.Groups == geometry.InChannels && geometry.Groups > 1;

    /// <summary>Computes the gradients that are wanted.</summary>
    public abstract void Run(in ConvGradientCall call, float* scratch, int threads);
}
