using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>What is read beyond the edges of an image.</summary>
internal enum GridPadding
{
    Zeros,

    /// <summary>The pixel at the edge.</summary>
    Border,

    /// <summary>The image mirrored at its edges, as often as it takes.</summary>
    Reflection,
}

/// <summary>
/// Images read where a grid says: x (N, inH, inW, C) and places (N, outH, outW, 2), column and row from -1 to 1 -> (N, outH, outW, C),
/// float32. PyTorch's grid_sample.
/// </summary>
/// <param name="mode">The nearest pixel (half to even), or a mean of two or four in each direction by distance.</param>
/// <param name="padding">What is read beyond the edges.</param>
/// <param name="alignCorners">Whether -1 and 1 are the centres of the outermost pixels, and not their outer edges.</param>
internal sealed unsafe class GridSampleOperator(ResizeMode mode, GridPadding padding, bool alignCorners) : Operator
{
    public override string Kind => "GridSample";

    public ResizeMode Mode => mode;

    public GridPadding Padding => padding;

    public bool AlignCorners => alignCorners;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4).Shape;
        var grid = OperatorChecks.Required(inputs, 1, "grid", ElementType.Float32, 4).Shape;
        if (grid[0] != x[0] || grid[3] != 2)
            throw new ArgumentException($"The grid is {grid}; expected ({x[0]}, height, width, 2) for the input {x}.");
        if (x[1] == 0 || x[2] == 0)
            throw new ArgumentException($"The input {x} has no pixels; sampling needs at least one.");
        return [new(ElementType.Float32, new TensorShape(x[0], grid[1], grid[2], x[3]))];
    }

    internal override OperatorCost Cost(Node node) => new(0, Taps * Taps * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var work = new Work
        {
            Operator = this,
            X = x.Pointer<float>(),
            Grid = context.Inputs[1].Pointer<float>(),
            Y = y.Pointer<float>(),
            Height = x.Shape[1],
            Width = x.Shape[2],
            Channels = x.Shape[3],
            PixelsInImage = (nint)y.Shape[1] * y.Shape[2],
        };
        ElementParts.Run(work, y.Shape[0] * work.PixelsInImage, Taps * Taps * (8L + x.Shape[3]), context.Threads);
    }

    private int Taps => mode switch
    {
        ResizeMode.Nearest => 1,
        ResizeMode.Linear => 2,
        _ => 4,
    };

    // The pixels and weights of one direction; a pixel of -1 is beyond the edge and counts as 0.
    private void Find(float place, int length, Span<int> pixels, Span<float> weights)
    {
        var at = alignCorners ? (place + 1) / 2 * (length - 1) : (((place + 1) * length) - 1) / 2;
        if (mode == ResizeMode.Nearest)
            at = MathF.Round(at);

        // Of four pixels each finds its own place, as in PyTorch.
        if (padding == GridPadding.Border && mode != ResizeMode.Cubic)
            at = Math.Clamp(at, 0, length - 1);
        else if (padding == GridPadding.Reflection && mode != ResizeMode.Cubic)
            at = Reflected(at, length);

        // What is not finite, or far away, is beyond every edge.
        var whole = Math.Clamp(MathF.Floor(at), -1e8f, 1e8f);
        var fraction = at - whole;
        var first = float.IsNaN(at) ? -1_000_000_000 : (int)whole - (mode == ResizeMode.Cubic ? 1 : 0);
        for (var k = 0; k < pixels.Length; k++)
        {
            var pixel = first + k;
            pixels[k] = pixel >= 0 && pixel < length ? pixel : padding switch
            {
                GridPadding.Border => Math.Clamp(pixel, 0, length - 1),
                GridPadding.Reflection => Math.Clamp((int)Reflected(pixel, length), 0, length - 1),
                _ => -1,
            };
        }

        if (mode == ResizeMode.Nearest)
        {
            weights[0] = 1;
            return;
        }

        var kernel = new ResizeKernel(mode);
        for (var k = 0; k < weights.Length; k++)
            weights[k] = (float)kernel.At(first + k - whole - fraction);
    }

    // Mirrored at the edges until it lies between them.
    private float Reflected(float at, int length)
    {
        var (low, high) = alignCorners ? (0f, length - 1f) : (-0.5f, length - 0.5f);
        var range = high - low;
        if (at >= low && at <= high)
            return at;
        if (range == 0 || !float.IsFinite(at))
            return low;
        var beyond = at < low ? low - at : at - high;
        var turns = MathF.Truncate(beyond / range);
        var rest = beyond - (turns * range);
        var fromLow = turns % 2 == 0 == (at < low);
        return fromLow ? low + rest : high - rest;
    }

    private struct Work : IRangeWork
    {
        public GridSampleOperator Operator;
        public float* X;
        public float* Grid;
        public float* Y;
        public int Height;
        public int Width;
        public int Channels;
        public nint PixelsInImage;

        public readonly void Run(nint start, nint end)
        {
            var taps = Operator.Taps;
            Span<int> rows = stackalloc int[taps], columns = stackalloc int[taps];
            Span<float> down = stackalloc float[taps], across = stackalloc float[taps];
            for (var pixel = start; pixel < end; pixel++)
            {
                Operator.Find(Grid[2 * pixel], Width, columns, across);
                Operator.Find(Grid[(2 * pixel) + 1], Height, rows, down);
                var image = X + (pixel / PixelsInImage * Height * Width * Channels);
                var y = Y + (pixel * Channels);
                new Span<float>(y, Channels).Clear();
                for (var tap = 0; tap < taps * taps; tap++)
                {
                    var (row, column) = (rows[tap / taps], columns[tap % taps]);
                    if (row >= 0 && column >= 0)
                        Add(image + ((((nint)row * Width) + column) * Channels), down[tap / taps] * across[tap % taps], y);
                }
            }
        }

        private readonly void Add(float* source, float weight, float* target)
        {
            var sums = new Span<float>(target, Channels);
            TensorPrimitives.MultiplyAddEstimate(new ReadOnlySpan<float>(source, Channels), weight, sums, sums);
        }
    }
}
