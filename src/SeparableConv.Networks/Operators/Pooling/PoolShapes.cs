using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>The sizes of a pooling, and where its maxima begin.</summary>
internal static class PoolShapes
{
    /// <summary>
    /// The sizes for an input (N, inH, inW, C). Where the size is rounded up, out = ceil((in + pads - span)/stride) + 1, without a
    /// last window that would begin in the border behind the input.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public static ConvGeometry Geometry(TensorShape input, Size2D kernel, Size2D stride, Size2D dilation, Padding padding, bool ceilMode)
    {
        if (input.Rank != 4)
            throw new ArgumentException($"The input is {input}; pooling takes 4 dimensions (N, height, width, channels).");
        var g = ConvGeometry.Create(input[0], (input[1], input[2]), input[3], input[3], kernel, stride, dilation, padding);
        return ceilMode && padding.Mode is PaddingMode.Explicit or PaddingMode.Valid
            ? g with { Rows = RoundUp(g.Rows), Columns = RoundUp(g.Columns) }
            : g;
    }

    /// <summary>The output's shape.</summary>
    public static TensorShape Output(in ConvGeometry g) => new(g.Batch, g.Rows.Out, g.Columns.Out, g.InChannels);

    /// <summary>The number that no other is below: minus infinity, or the least integer.</summary>
    public static T Least<T>()
        where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        // -1/0 is minus infinity in the types that have one.
        var isFloat = typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half);
        return isFloat ? -T.One / T.Zero : T.MinValue;
    }

    private static AxisGeometry RoundUp(in AxisGeometry axis)
    {
        var left = axis.In + axis.PadBefore + axis.PadAfter - axis.Span;
        var output = axis.Out + (left % axis.Stride != 0 ? 1 : 0);

        // As PyTorch and ONNX Runtime do: where nothing was rounded too.
        return axis with { Out = (output - 1L) * axis.Stride >= (long)axis.In + axis.PadBefore ? output - 1 : output };
    }
}
