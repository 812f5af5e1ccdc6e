using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Weights (K, N) packed once for <see cref="MatrixTile"/>: panels of two vectors of columns (three in the last where the
/// number of vectors is odd), in each panel k after k. Where the columns do not fill the last vector it is moved left over
/// its neighbour, so that full vectors are stored and nothing is written past the end; half a vector on 512 bits has a panel
/// of its own kind beside a few others (<see cref="MatrixPairTile"/>). A few columns of many k are packed for <see cref="DotTile"/>.
/// </summary>
internal sealed unsafe class PackedMatrix
{
    private const int DeepEnoughToCopy = 32;
    private const int LeastToShare = 64 * 1024;

    // A pair sums its half vector in another order than the others. Beside many vectors half a one is little work, and the scores of
    // classes, which are mostly so many, must not differ where nothing but their place does.
    private const int MostPairedVectors = 16;

    private readonly PackedBuffer _weights;
    private readonly PackedBuffer _bias;
    private readonly Panel[] _panels;
    /// <param name="weights">K rows of <paramref name="weightsStride"/> floats.</param>
    /// <param name="weightsStride">Floats from one k to the next.</param>
    /// <param name="depth">K.</param>
    /// <param name="columns">N: columns 0 .. N-1 of each row are packed.</param>
    /// <param name="bias">N numbers, or none for zeros.</param>
    /// <param name="width">The vector width that the product will run with.</param>
    /// <param name="segmentLength">Neighbouring floats of a left row; divides K.</param>
    /// <param name="lanes">What the 32 bits of each "float" hold. Where they hold no float, the bias is 32-bit integers.</param>
    public PackedMatrix(
        ReadOnlySpan<float> weights,
        int weightsStride,
        int depth,
        int columns,
        ReadOnlySpan<float> bias,
        SimdWidth width,
        int segmentLength,
        LaneKind lanes = LaneKind.Float)
    {
        Depth = depth;
        Columns = columns;
        SegmentLength = segmentLength;
        var isFloat = lanes == LaneKind.Float;
        var dots = isFloat ? DotTile.Width(depth, columns, segmentLength, width) : SimdWidth.Scalar;
        if (dots != SimdWidth.Scalar)
        {
            IsDots = true;
            Table = MatrixTileTable.For(dots, lanes);
            _weights = new PackedBuffer((nint)DotTile.Vectors(depth, segmentLength, (int)dots) * columns * (int)dots);
            _bias = new PackedBuffer(columns);
            _panels = [new() { Vectors = 1, Weights = _weights.Pointer, Bias = _bias.Pointer }];
            Fill(weights, weightsStride, bias);
            return;
        }

        width = isFloat ? Narrowest(depth, columns, width) : width;
        Table = MatrixTileTable.For(width, lanes);
        var v = Table.VectorLength;
        var pairs = isFloat && width == SimdWidth.V512 && columns > v && columns < MostPairedVectors * v && columns % v == v / 2
            && segmentLength % 2 == 0;
        var vectors = (columns + v - 1) / v;
        _panels = CutPanels(vectors, columns, v, pairs);
        _weights = new PackedBuffer(checked((nint)vectors * v * depth));
        _bias = new PackedBuffer((nint)vectors * v);
        var weightsAt = _weights.Pointer;
        var biasAt = _bias.Pointer;
        foreach (ref var panel in _panels.AsSpan())
        {
            panel.Weights = weightsAt;
            panel.Bias = biasAt;
            weightsAt += (nint)panel.Vectors * v * depth;
            biasAt += panel.Vectors * v;
        }

        Fill(weights, weightsStride, bias);
    }

    /// <summary>K.</summary>
    public int Depth { get; }

    /// <summary>N.</summary>
    public int Columns { get; }

    /// <summary>Neighbouring floats of a left row.</summary>
    public int SegmentLength { get; }

    public MatrixTileTable Table { get; }

    /// <summary>Whether vectors hold neighbouring k: see <see cref="DotTile"/>.</summary>
    public bool IsDots { get; }

    public ReadOnlySpan<Panel> Panels => _panels;

    /// <summary>Packs other numbers in the place of those before; allocates nothing. No product may be running.</summary>
    /// <param name="weights">K rows of <paramref name="weightsStride"/> floats.</param>
    /// <param name="weightsStride">Floats from one k to the next.</param>
    /// <param name="bias">N numbers, or none where there was none before.</param>
    /// <param name="threads">Threads to share the panels, where there is enough to pack.</param>
    public void Fill(ReadOnlySpan<float> weights, int weightsStride, ReadOnlySpan<float> bias, int threads = 1)
    {
        fixed (float* weightsAt = weights, biasAt = bias)
        {
            var work = new FillWork
            {
                Matrix = this,
                Weights = weightsAt,
                Count = weights.Length,
                Stride = weightsStride,
                Bias = biasAt,
                BiasCount = bias.Length,
            };
            WorkerPool.Shared.Run(ref work, _panels.Length, (long)Depth * Columns >= LeastToShare ? threads : 1);
        }

        GC.KeepAlive(this);
    }

    private struct FillWork : IParallelWork
    {
        public PackedMatrix Matrix;
        public float* Weights;
        public int Count;
        public int Stride;
        public float* Bias;
        public int BiasCount;

        public readonly void Execute(int part)
        {
            ref readonly var panel = ref Matrix._panels[part];
            var weights = new ReadOnlySpan<float>(Weights, Count);
            var bias = new ReadOnlySpan<float>(Bias, BiasCount);
            if (Matrix.IsDots)
                Matrix.FillDots(weights, Stride, bias);
            else if (panel.IsPair)
                Matrix.FillPair(panel, weights, Stride, bias);
            else
                Matrix.FillVectors(panel, weights, Stride, bias);
        }
    }

    // Fewer columns than lanes are copied out of a vector. The narrowest that holds them all may just be filled; and two narrow ones, the
    // second moved over the first, take a multiply-add more each step but no copy: with 8 steps 2.5 times as fast, with 64 1.1 times
    // slower.
    private static SimdWidth Narrowest(int depth, int columns, SimdWidth width)
    {
        while (columns < (int)width && (2 * columns <= (int)width || depth < DeepEnoughToCopy) && width > SimdWidth.V128)
            width = (SimdWidth)((int)width / 2);
        return width;
    }

    private static Panel[] CutPanels(int vectors, int columns, int v, bool pairs)
    {
        var panels = new List<Panel>();
        var plain = pairs ? vectors - 2 : vectors;
        for (var vector = 0; vector < plain;)
        {
            var count = plain - vector is 1 or 3 ? plain - vector : 2;
            var first = vector * v;
            vector += count;
            var isLast = vector == vectors && columns >= v;
            panels.Add(new() { FirstColumn = first, Vectors = count, LastVectorOffset = isLast ? columns - v - first : (count - 1) * v });
        }

        if (pairs)
            panels.Add(new() { FirstColumn = plain * v, Vectors = 2, IsPair = true });
        return [.. panels];
    }

    private void FillDots(ReadOnlySpan<float> weights, int weightsStride, ReadOnlySpan<float> bias)
    {
        bias.CopyTo(_bias.Span);
        DotTile.Pack(weights, weightsStride, Depth, Columns, SegmentLength, Table.VectorLength, _weights.Pointer);
    }

    private void FillVectors(in Panel panel, ReadOnlySpan<float> weights, int weightsStride, ReadOnlySpan<float> bias)
    {
        var v = Table.VectorLength;
        for (var i = 0; i < panel.Vectors; i++)
        {
            var firstColumn = panel.FirstColumn + (i == panel.Vectors - 1 ? (int)panel.LastVectorOffset : i * v);
            var lanes = Math.Min(v, Columns - firstColumn);
            if (!bias.IsEmpty)
                bias.Slice(firstColumn, lanes).CopyTo(new Span<float>(panel.Bias + (i * v), v));
            var target = panel.Weights + (i * v);
            for (var k = 0; k < Depth; k++)
            {
                weights.Slice(checked(k * weightsStride) + firstColumn, lanes).CopyTo(new Span<float>(target, v));
                target += panel.Vectors * v;
            }
        }
    }

    /// <summary>For each two steps of k: the vector of the first, of the second, and the half vectors of both, lanes alternating.</summary>
    private void FillPair(in Panel panel, ReadOnlySpan<float> weights, int weightsStride, ReadOnlySpan<float> bias)
    {
        var v = Table.VectorLength;
        var half = panel.FirstColumn + v;
        if (!bias.IsEmpty)
        {
            bias.Slice(panel.FirstColumn, v).CopyTo(new Span<float>(panel.Bias, v));
            for (var n = 0; n < v / 2; n++)
                panel.Bias[v + (2 * n)] = bias[half + n];
        }

        var target = panel.Weights;
        for (var k = 0; k < Depth; k++)
        {
            var row = weights.Slice(checked(k * weightsStride), half + (v / 2));
            row.Slice(panel.FirstColumn, v).CopyTo(new Span<float>(target + (k % 2 * v), v));
            for (var n = 0; n < v / 2; n++)
                target[(2 * v) + (2 * n) + (k % 2)] = row[half + n];
            target += k % 2 * 3 * v;
        }
    }

    /// <summary>Columns that are computed together.</summary>
    public struct Panel
    {
        public int FirstColumn;

        public int Vectors;

        /// <summary>Whether the last vector is a half one: see <see cref="MatrixPairTile"/>.</summary>
        public bool IsPair;

        public nint LastVectorOffset;

        public float* Weights;

        public float* Bias;
    }
}
