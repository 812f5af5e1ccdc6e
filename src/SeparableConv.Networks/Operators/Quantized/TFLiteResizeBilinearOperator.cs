namespace SeparableConv.Networks.Operators;

/// <summary>
/// Bilinear resizing of quantized bytes (N, inH, inW, C) -> (N, outH, outW, C). int8 is computed with 10 bits after the binary point
/// and rounded half away from zero, uint8 in single precision and cut off: TensorFlow Lite's two kernels.
/// </summary>
internal sealed unsafe class TFLiteResizeBilinearOperator(
    int outHeight, int outWidth, bool alignCorners, bool halfPixelCenters) : QuantizedOperator
{
    private const int FractionBits = 10;
    private const int LongestAxis = 1 << 19;

    public override string Kind => "QuantizedResizeBilinear";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.Required(inputs, 0, "input");
        if (input.Shape.Rank != 4)
            throw new ArgumentException($"The input is {input}; expected 4 dimensions (N, height, width, channels).");
        if (alignCorners && halfPixelCenters)
            throw new ArgumentException("Resizing has both aligned corners and half-pixel centres; choose one.");
        ReadOnlySpan<int> lengths = [input.Shape[1], input.Shape[2], outHeight, outWidth];
        foreach (var length in lengths)
        {
            if (length is < 1 or > LongestAxis)
            {
                throw new ArgumentException(
                    $"Resizing from {input.Shape[1]}x{input.Shape[2]} to {outHeight}x{outWidth}: lengths of 1 to {LongestAxis} "
                    + "are supported.");
            }
        }

        return [input with { Shape = new TensorShape(input.Shape[0], outHeight, outWidth, input.Shape[3]) }];
    }

    internal override OperatorCost Cost(Node node) => new(0, 4 * node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var shape = inputs[0].Shape;
        return inputs[0].Element == ElementType.Int8
            ? new ResizeStep<sbyte, int, FixedMix>(shape, FixedTaps(shape[1], outHeight), FixedTaps(shape[2], outWidth))
            : new ResizeStep<byte, float, SingleMix>(shape, SingleTaps(shape[1], outHeight), SingleTaps(shape[2], outWidth));
    }

    // The two input positions of each output position, and how far in 1/1024 it lies from the lower one.
    private (int Lower, int Upper, int Weight)[] FixedTaps(int input, int output)
    {
        var (from, to) = alignCorners && output > 1 ? (input - 1, output - 1) : (input, output);
        var scale = (((long)from << FractionBits) + (to / 2)) / to;
        var taps = new (int, int, int)[output];
        for (var i = 0; i < output; i++)
        {
            var position = (i * scale) + (halfPixelCenters ? (scale / 2) - (1 << (FractionBits - 1)) : 0);
            var lower = Math.Clamp(position / (1 << FractionBits), 0, input - 1);
            var upper = Math.Clamp((position + (1 << FractionBits) - 1) / (1 << FractionBits), 0, input - 1);
            taps[i] = ((int)lower, (int)upper, (int)(position - (lower << FractionBits)));
        }

        return taps;
    }

    private (int Lower, int Upper, float Weight)[] SingleTaps(int input, int output)
    {
        var scale = alignCorners && output > 1 ? (float)(input - 1) / (output - 1) : (float)input / output;
        var taps = new (int, int, float)[output];
        for (var i = 0; i < output; i++)
        {
            var position = halfPixelCenters ? ((i + 0.5f) * scale) - 0.5f : i * scale;
            var lower = Math.Clamp((int)MathF.Floor(position), 0, input - 1);
            var upper = Math.Clamp((int)MathF.Ceiling(position), 0, input - 1);
            taps[i] = (lower, upper, position - lower);
        }

        return taps;
    }

    /// <summary>
    /// How the four pixels around a place become one; the weights say how far below and right of the first pixel it lies.
    /// </summary>
    private interface IMix<T, TWeight>
    {
        static abstract T Of(T topLeft, T bottomLeft, T topRight, T bottomRight, TWeight down, TWeight across);
    }

    private readonly struct FixedMix : IMix<sbyte, int>
    {
        public static sbyte Of(sbyte topLeft, sbyte bottomLeft, sbyte topRight, sbyte bottomRight, int down, int across)
        {
            const int One = 1 << FractionBits;
            const int Half = 1 << ((2 * FractionBits) - 1);
            var sum = ((long)topLeft * (One - down) * (One - across)) + ((long)bottomLeft * down * (One - across))
                + ((long)topRight * (One - down) * across) + ((long)bottomRight * down * across);
            return (sbyte)((sum + (sum > 0 ? Half : -Half)) / (One * One));
        }
    }

    private readonly struct SingleMix : IMix<byte, float>
    {
        // The order of the operations is the reference's: each product is rounded.
        public static byte Of(byte topLeft, byte bottomLeft, byte topRight, byte bottomRight, float down, float across) =>
            (byte)((topLeft * (1 - down) * (1 - across)) + (bottomLeft * down * (1 - across))
                + (topRight * (1 - down) * across) + (bottomRight * down * across));
    }

    private sealed class ResizeStep<T, TWeight, TMix>(
        TensorShape input, (int Lower, int Upper, TWeight Weight)[] rows, (int Lower, int Upper, TWeight Weight)[] columns) : Step
        where T : unmanaged
        where TMix : struct, IMix<T, TWeight>
    {
        public override void Run(ForwardContext context)
        {
            var y = context.Outputs[0].Pointer<T>();
            var (width, channels) = ((nint)input[2] * input[3], input[3]);
            for (var n = 0; n < input[0]; n++)
            {
                var image = context.Inputs[0].Pointer<T>() + (n * input[1] * width);
                foreach (var (top, bottom, down) in rows)
                {
                    foreach (var (left, right, across) in columns)
                    {
                        var a = image + (top * width) + ((nint)left * channels);
                        var b = image + (bottom * width) + ((nint)left * channels);
                        var c = image + (top * width) + ((nint)right * channels);
                        var d = image + (bottom * width) + ((nint)right * channels);
                        for (var i = 0; i < channels; i++)
                            *y++ = TMix.Of(a[i], b[i], c[i], d[i], down, across);
                    }
                }
            }
        }
    }
}
