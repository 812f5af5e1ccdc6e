using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Bilinear resizing of quantized bytes (N, inH, inW, C) -> (N, outH, outW, C). int8 is computed with 10 bits after the binary point
/// and rounded half away from zero, uint8 in single precision and cut off: TensorFlow Lite's two kernels.
/// </summary>
internal sealed unsafe class TFLiteResizeBilinearOperator(
    int outHeight, int outWidth, bool alignCorners, bool halfPixelCenters) : QuantizedOperator
{
    private const int FractionBits = ByteMix.FractionBits;
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
            ? new ResizeStep<int, FixedMix>(shape, FixedTaps(shape[1], outHeight), FixedTaps(shape[2], outWidth))
            : new ResizeStep<float, SingleMix>(shape, SingleTaps(shape[1], outHeight), SingleTaps(shape[2], outWidth));
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
    private interface IMix<TWeight>
    {
        static abstract void Run(in ByteMix.Corners corners, TWeight down, TWeight across, byte* y, int channels);
    }

    private readonly struct FixedMix : IMix<int>
    {
        public static void Run(in ByteMix.Corners corners, int down, int across, byte* y, int channels) =>
            ByteMix.Fixed(corners, down, across, y, channels);
    }

    private readonly struct SingleMix : IMix<float>
    {
        public static void Run(in ByteMix.Corners corners, float down, float across, byte* y, int channels) =>
            ByteMix.Single(corners, down, across, y, channels);
    }

    private sealed class ResizeStep<TWeight, TMix>(
        TensorShape input, (int Lower, int Upper, TWeight Weight)[] rows, (int Lower, int Upper, TWeight Weight)[] columns) : Step
        where TMix : struct, IMix<TWeight>
    {
        public override void Run(ForwardContext context)
        {
            var work = new Work { Step = this, X = (byte*)context.Inputs[0].Memory, Y = (byte*)context.Outputs[0].Memory };
            ElementParts.Run(work, (long)input[0] * rows.Length, 4L * columns.Length * input[3], context.Threads);
        }

        private void Row(byte* x, byte* y, int row)
        {
            var (width, channels) = ((nint)input[2] * input[3], input[3]);
            var (top, bottom, down) = rows[row];
            var upper = x + (top * width);
            var lower = x + (bottom * width);
            foreach (var (left, right, across) in columns)
            {
                var (first, second) = ((nint)left * channels, (nint)right * channels);
                var corners = new ByteMix.Corners(upper + first, lower + first, upper + second, lower + second);
                TMix.Run(corners, down, across, y, channels);
                y += channels;
            }
        }

        private struct Work : IRangeWork
        {
            public ResizeStep<TWeight, TMix> Step;
            public byte* X;
            public byte* Y;

            public readonly void Run(nint start, nint end)
            {
                var (shape, outHeight, outWidth) = (Step.Input, Step.OutHeight, Step.OutWidth);
                for (var at = start; at < end; at++)
                {
                    var (image, row) = Math.DivRem(at, outHeight);
                    Step.Row(X + (image * shape[1] * shape[2] * shape[3]), Y + (at * outWidth * shape[3]), (int)row);
                }
            }
        }

        private TensorShape Input => input;

        private int OutHeight => rows.Length;

        private int OutWidth => columns.Length;
    }
}
