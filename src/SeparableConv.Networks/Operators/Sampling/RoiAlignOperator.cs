using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Regions of images pooled to one size, without rounding their edges: x (N, H, W, C), regions (R, 4) as left, top, right, bottom, and the
/// int64 numbers (R) of their images -> (R, outH, outW, C), float32. Each output pixel is the mean, or the largest, of samples in its part
/// of the region, each read between four pixels.
/// </summary>
/// <param name="size">Rows and columns of the output.</param>
/// <param name="samples">Samples in each direction; 0 for one a pixel of the input.</param>
/// <param name="scale">What coordinates of regions are multiplied by.</param>
/// <param name="halfPixel">Whether pixels' centres lie half a pixel inside; else they are the coordinates themselves.</param>
/// <param name="largest">The largest weighted pixel in the place of the mean, as ONNX defines it.</param>
internal sealed unsafe class RoiAlignOperator(Size2D size, int samples, float scale, bool halfPixel, bool largest) : Operator
{
    // Samples in one direction that can be asked for; of those that follow from a region, only the ones on the image are looked at.
    private const int MostSamples = 1 << 12;

    private const int MostCounted = 1 << 30;

    public override string Kind => "RoiAlign";

    internal override bool MayRefuse(Node node) => node.Inputs[2] is { IsConstant: false };

    public Size2D Size => size;

    public int Samples => samples;

    public float Scale => scale;

    public bool HalfPixel => halfPixel;

    public bool Largest => largest;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4).Shape;
        var regions = OperatorChecks.Required(inputs, 1, "regions", ElementType.Float32, 2).Shape;
        var images = OperatorChecks.Required(inputs, 2, "numbers of images", ElementType.Int64, 1).Shape;
        if (regions[1] != 4 || images[0] != regions[0])
            throw new ArgumentException($"The regions are {regions} and the numbers of images {images}; expected (R,4) and (R).");
        if (size.Height < 1 || size.Width < 1 || samples is < 0 or > MostSamples || x[1] == 0 || x[2] == 0)
        {
            throw new ArgumentException(
                $"Regions of {x} become {size.Height}x{size.Width} with {samples} samples; "
                + $"expected pixels on both sides and 0 to {MostSamples} samples.");
        }

        return [new(ElementType.Float32, new TensorShape(regions[0], size.Height, size.Width, x[3]))];
    }

    internal override OperatorCost Cost(Node node) =>
        new(0, 4 * SamplesOf(node.Inputs[0]!.Shape[1]) * SamplesOf(node.Inputs[0]!.Shape[2]) * node.Outputs[0].Shape.ElementCount);

    // Along a direction of so many pixels: where regions decide, no more than lie on the image.
    private long SamplesOf(int length) => samples > 0 ? samples : Math.Min(MostCounted, length + 2L);

    internal override void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var work = new Work
        {
            Operator = this,
            X = x.Pointer<float>(),
            Regions = context.Inputs[1].Pointer<float>(),
            Images = context.Inputs[2].Pointer<long>(),
            Y = y.Pointer<float>(),
            Batch = x.Shape[0],
            Height = x.Shape[1],
            Width = x.Shape[2],
            Channels = x.Shape[3],
        };
        var perPixel = 4L * Math.Max(4, samples * (long)samples) * (4L + x.Shape[3]);
        ElementParts.Run(work, (long)y.Shape[0] * y.Shape[1] * y.Shape[2], perPixel, context.Threads);
    }

    private struct Work : IRangeWork
    {
        public RoiAlignOperator Operator;
        public float* X;
        public float* Regions;
        public long* Images;
        public float* Y;
        public int Batch;
        public int Height;
        public int Width;
        public int Channels;

        public readonly void Run(nint start, nint end)
        {
            var size = Operator.Size;
            for (var pixel = start; pixel < end; pixel++)
            {
                var (region, place) = Math.DivRem(pixel, (nint)size.Height * size.Width);
                var (row, column) = Math.DivRem((int)place, size.Width);
                Pool(region, row, column, new Span<float>(Y + (pixel * Channels), Channels));
            }
        }

        private readonly void Pool(nint region, int row, int column, Span<float> y)
        {
            var image = Images[region];
            if (image < 0 || image >= Batch)
                throw new NetworkException($"RoiAlign was given image {image} of {Batch} images.");
            var source = X + ((nint)image * Height * Width * Channels);
            var box = Regions + (region * 4);
            var (top, height, rows) = Part(box[1], box[3], Operator.Size.Height, row);
            var (left, width, columns) = Part(box[0], box[2], Operator.Size.Width, column);
            y.Clear();
            var (down, across) = (OnImage(top, height, rows, Height), OnImage(left, width, columns, Width));
            var isFirst = down.End - down.Begin == rows && across.End - across.Begin == columns;
            for (var i = down.Begin; i < down.End; i++)
            {
                for (var j = across.Begin; j < across.End; j++, isFirst = false)
                    Sample(source, top + ((i + 0.5f) * height / rows), left + ((j + 0.5f) * width / columns), isFirst, y);
            }

            if (!Operator.Largest)
                TensorPrimitives.Divide(y, Math.Max(1f, (float)rows * columns), y);
        }

        // All samples that can lie on the image, and no more than one beside it: what lies off it counts as 0.
        private static (int Begin, int End) OnImage(float from, float part, int samples, int length)
        {
            double step = (double)part / samples;

            // A region turned round or without extent has as many samples as were asked for, which are few.
            if (!(step > 0))
                return (0, samples);
            var begin = (int)Math.Clamp(Math.Floor((-1.0 - from) / step) - 1, 0, samples);
            return (begin, (int)Math.Clamp(Math.Ceiling((length - (double)from) / step) + 1, begin, samples));
        }

        // Where one of the parts begins that a region is cut into along a direction, how long it is, and its samples.
        private readonly (float Begin, float Length, int Samples) Part(float from, float to, int parts, int part)
        {
            var offset = Operator.HalfPixel ? 0.5f : 0;
            var begin = (from * Operator.Scale) - offset;
            var length = (to * Operator.Scale) - offset - begin;
            length = Operator.HalfPixel ? length : Math.Max(length, 1);
            var count = Operator.Samples > 0 ? Operator.Samples : (int)Math.Clamp(MathF.Ceiling(length / parts), 0, MostCounted);
            return (begin + (part * (length / parts)), length / parts, count);
        }

        private readonly void Sample(float* image, float y, float x, bool isFirst, Span<float> sums)
        {
            // What is not on the image counts as 0; written so that a NaN is not.
            var isInside = y >= -1 && y <= Height && x >= -1 && x <= Width;
            var (top, bottom, down) = Between(isInside ? y : 0, Height);
            var (left, right, across) = Between(isInside ? x : 0, Width);
            var one = isInside ? 1f : 0f;
            Add(Pixel(image, top, left), one * (1 - down) * (1 - across), isFirst, sums);
            Add(Pixel(image, top, right), one * (1 - down) * across, false, sums);
            Add(Pixel(image, bottom, left), one * down * (1 - across), false, sums);
            Add(Pixel(image, bottom, right), one * down * across, false, sums);
        }

        private readonly ReadOnlySpan<float> Pixel(float* image, int row, int column) =>
            new(image + ((((nint)row * Width) + column) * Channels), Channels);

        private static (int Low, int High, float Fraction) Between(float place, int length)
        {
            place = Math.Max(place, 0);
            var low = (int)place;
            return low >= length - 1 ? (length - 1, length - 1, 0) : (low, low + 1, place - low);
        }

        private readonly void Add(ReadOnlySpan<float> pixel, float weight, bool isFirst, Span<float> sums)
        {
            if (!Operator.Largest)
                TensorPrimitives.MultiplyAddEstimate(pixel, weight, sums, sums);
            for (var c = 0; Operator.Largest && c < sums.Length; c++)
                sums[c] = isFirst ? pixel[c] * weight : Math.Max(sums[c], pixel[c] * weight);
        }
    }
}
