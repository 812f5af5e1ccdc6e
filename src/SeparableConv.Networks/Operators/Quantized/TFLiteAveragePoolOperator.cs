using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The mean of the input positions under a window, of quantized bytes or int16 (N, inH, inW, C) -> (N, outH, outW, C): the sum divided by
/// the number of positions inside the image, rounded half away from zero, within the clamp. Input and output have one quantization.
/// </summary>
internal sealed unsafe class TFLiteAveragePoolOperator(
    Size2D kernel, Size2D stride, Padding padding, Quantization output, int clampMin, int clampMax) : QuantizedOperator
{
    public override string Kind => "QuantizedAveragePool";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.RequiredAny(inputs, 0, "input");
        QuantizedTypes.CheckPerTensor(output, input.Element, "output");
        if (Math.Abs(input.Quantization!.Scale - output.Scale) > 1e-6f || input.Quantization.ZeroPoint != output.ZeroPoint)
        {
            throw new ArgumentException(
                $"The input has {input.Quantization} and the output {output}; average pooling needs them to be the same.");
        }

        return [new(input.Element, ConvShapes.Output(Geometry(input)), output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount * kernel.Height * kernel.Width);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) => inputs[0].Element switch
    {
        ElementType.Int8 => new PoolStep<sbyte>(Geometry(inputs[0]), (clampMin, clampMax)),
        ElementType.UInt8 => new PoolStep<byte>(Geometry(inputs[0]), (clampMin, clampMax)),
        _ => new PoolStep<short>(Geometry(inputs[0]), (clampMin, clampMax)),
    };

    private ConvGeometry Geometry(TensorType input)
    {
        if (input.Shape.Rank != 4)
            throw new ArgumentException($"The input is {input}; expected 4 dimensions (N, height, width, channels).");
        var channels = input.Shape[3];
        var g = ConvGeometry.Create(
            input.Shape[0], (input.Shape[1], input.Shape[2]), channels, channels, kernel, stride, 1, padding, channels);
        if ((long)kernel.Height * kernel.Width > int.MaxValue / (input.Element == ElementType.Int16 ? 1 << 15 : byte.MaxValue))
            throw new ArgumentException($"The window is {kernel}; its sums do not fit 32 bits.");
        return g;
    }

    private sealed class PoolStep<T>(ConvGeometry g, (int Min, int Max) clamp) : Step
        where T : unmanaged, IBinaryInteger<T>
    {
        // Quotients of whole numbers below 2^24 are cut off alike in single precision.
        private const int ExactInSingle = 1 << 24;

        // Channels that are summed together.
        private const int Block = 512;

        private bool IsExact => sizeof(T) == 1 && (g.Rows.Kernel * (long)g.Columns.Kernel + 1) * byte.MaxValue < ExactInSingle;

        public override void Run(ForwardContext context)
        {
            var work = new Work { Step = this, X = context.Inputs[0].Pointer<T>(), Y = context.Outputs[0].Pointer<T>() };
            var loads = (long)g.Columns.Out * g.InChannels * g.Rows.Kernel * g.Columns.Kernel;
            ElementParts.Run(work, (long)g.Batch * g.Rows.Out, loads, context.Threads);
        }

        private void Row(T* image, int outY, T* y)
        {
            for (var outX = 0; outX < g.Columns.Out; outX++, y += g.InChannels)
                Pixel(image, outY, outX, y);
        }

        private void Pixel(T* image, int outY, int outX, T* result)
        {
            var ((startY, endY), (startX, endX)) = (g.Rows.Taps(outY), g.Columns.Taps(outX));
            var window = new BytePoolLoop.Window(endY - startY, endX - startX, (nint)g.Columns.In * g.InChannels, g.InChannels);
            var pixel = ((nint)(g.Rows.InputStart(outY) + startY) * g.Columns.In) + g.Columns.InputStart(outX) + startX;
            var source = image + (pixel * g.InChannels);
            var sums = stackalloc int[Block];

            // Every window of a padded pool reaches into the image, as the padding is smaller than the window.
            var count = Math.Max(1, window.Rows * window.Columns);
            for (var first = 0; first < g.InChannels; first += Block)
            {
                var channels = Math.Min(Block, g.InChannels - first);
                if (sizeof(T) == 1)
                    BytePoolLoop.Sum((byte*)(source + first), typeof(T) == typeof(sbyte), window, sums, channels);
                else
                    SumWide(source + first, window, sums, channels);
                if (IsExact)
                    BytePoolLoop.Mean(sums, count, clamp.Min, clamp.Max, (byte*)(result + first), channels);
                else
                    Divide(sums, count, result + first, channels);
            }
        }

        private static void SumWide(T* source, in BytePoolLoop.Window window, int* sums, int channels)
        {
            new Span<int>(sums, channels).Clear();
            for (var tapY = 0; tapY < window.Rows; tapY++)
            {
                for (var tapX = 0; tapX < window.Columns; tapX++)
                {
                    var at = source + (tapY * window.RowStep) + (tapX * window.ColumnStep);
                    for (var c = 0; c < channels; c++)
                        sums[c] += int.CreateTruncating(at[c]);
                }
            }
        }

        private void Divide(int* sums, int count, T* result, int channels)
        {
            for (var c = 0; c < channels; c++)
            {
                var rounded = (sums[c] + (sums[c] > 0 ? count / 2 : -(count / 2))) / count;
                result[c] = T.CreateTruncating(Math.Clamp(rounded, clamp.Min, clamp.Max));
            }
        }

        private struct Work : IRangeWork
        {
            public PoolStep<T> Step;
            public T* X;
            public T* Y;

            public readonly void Run(nint start, nint end)
            {
                var (rows, columns, channels) = (Step.Geometry.Rows, Step.Geometry.Columns, (nint)Step.Geometry.InChannels);
                for (var row = start; row < end; row++)
                {
                    var (image, outY) = Math.DivRem(row, rows.Out);
                    Step.Row(X + (image * rows.In * columns.In * channels), (int)outY, Y + (row * columns.Out * channels));
                }
            }
        }

        private ConvGeometry Geometry => g;
    }
}
