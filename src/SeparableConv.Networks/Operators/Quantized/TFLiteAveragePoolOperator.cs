using System.Numerics;

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
        public override long ScratchBytes => (long)g.InChannels * sizeof(int);

        public override void Run(ForwardContext context)
        {
            var x = context.Inputs[0].Pointer<T>();
            var y = context.Outputs[0].Pointer<T>();
            var sums = new Span<int>(context.Scratch, g.InChannels);
            for (var n = 0; n < g.Batch; n++)
            {
                var image = x + ((nint)n * g.Rows.In * g.Columns.In * g.InChannels);
                for (var outY = 0; outY < g.Rows.Out; outY++)
                {
                    for (var outX = 0; outX < g.Columns.Out; outX++, y += g.InChannels)
                        Pixel(image, outY, outX, sums, y);
                }
            }
        }

        private void Pixel(T* image, int outY, int outX, Span<int> sums, T* result)
        {
            var ((startY, endY), (startX, endX)) = (g.Rows.Taps(outY), g.Columns.Taps(outX));
            sums.Clear();
            for (var tapY = startY; tapY < endY; tapY++)
            {
                for (var tapX = startX; tapX < endX; tapX++)
                {
                    var pixel = (nint)(g.Rows.InputStart(outY) + tapY) * g.Columns.In + g.Columns.InputStart(outX) + tapX;
                    var source = image + (pixel * g.InChannels);
                    for (var c = 0; c < sums.Length; c++)
                        sums[c] += int.CreateTruncating(source[c]);
                }
            }

            // Every window of a padded pool reaches into the image, as the padding is smaller than the window.
            var count = Math.Max(1, (endY - startY) * (endX - startX));
            for (var c = 0; c < sums.Length; c++)
            {
                var rounded = (sums[c] + (sums[c] > 0 ? count / 2 : -(count / 2))) / count;
                result[c] = T.CreateTruncating(Math.Clamp(rounded, clamp.Min, clamp.Max));
            }
        }
    }
}
