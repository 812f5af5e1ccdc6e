using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// Standard 3x3 convolution of stride 1 after Winograd, F(2x2, 3x3): a tile of 2x2 output pixels is
/// A'[ sum over c of (GwG') * (B'dB) ]A, d its 4x4 input pixels, * number by number. 16 multiplications a channel and filter
/// where the direct form has 36.
/// </summary>
/// <remarks>
/// Over all tiles the sums are 16 matrix products of (tiles, C) by (C, O). A block of tiles passes through three steps
/// (<see cref="WinogradInput"/>, the products, <see cref="WinogradOutput"/>) while it stays in the cache.
/// <para>
/// The transforms only add, subtract and halve, so that whole numbers stay exact as long as the sums fit 24 bits (quarters of
/// weights included). Else the error is that of a sum over the tile's 4x4 input pixels, not the pixel's own 3x3: a large
/// number, an infinity or a NaN also shows at the other pixels of its tiles.
/// </para>
/// Source: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2015.
/// </remarks>
internal sealed unsafe class WinogradLoop
{
    private readonly PackedMatrix[] _weights;
    private readonly int _inChannels;
    private readonly int _outChannels;
    private readonly Activation _activation;
    private readonly SimdWidth _inputWidth;
    private readonly SimdWidth _outputWidth;

    /// <param name="weights">(3, 3, C, O).</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="activation">Applied to the sum.</param>
    /// <param name="width">The vector width to run with.</param>
    public WinogradLoop(
        ReadOnlySpan<float> weights, int inChannels, int outChannels, ReadOnlySpan<float> bias, Activation activation, SimdWidth width)
    {
        _weights = WinogradWeights.Pack(weights, inChannels, outChannels, bias, width);
        _inChannels = inChannels;
        _outChannels = outChannels;
        _activation = activation;
        _inputWidth = SimdWidths.ForChannels(width, inChannels);
        _outputWidth = SimdWidths.ForChannels(width, outChannels);
    }

    private int Panels => _weights[0].Panels.Length;

    /// <summary>
    /// Packs other weights (3, 3, C, O), and a bias where there is one, in the place of those before; needs 16*C*O floats.
    /// </summary>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, float* scratch, int threads) =>
        WinogradWeights.Fill(_weights, weights, bias, scratch, threads);

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    public void Run(float* input, float* output, in ConvGeometry geometry, int threads)
    {
        var tiles = new WinogradTiles(geometry);
        var cut = new WinogradCut(tiles.Count, _inChannels, _outChannels, threads);
        var work = new Work { Loop = this, Tiles = tiles, Cut = cut, InputImages = input, OutputImages = output };
        if (cut.IsByBlocks)
        {
            WorkerPool.Shared.Run(ref work, cut.Blocks, threads);
            return;
        }

        // Too few blocks to give every thread its own: all work on one, step by step.
        var memory = Scratch.Tile(WinogradBlock.Size(cut.TilesInBlock, _inChannels, _outChannels));
        for (var i = 0; i < cut.Blocks; i++)
        {
            work.Block = CreateBlock(memory, cut, i);
            work.Step = Step.Input;
            WorkerPool.Shared.Run(ref work, cut.TileParts, threads);
            work.Step = Step.Products;
            work.PanelParts = Math.Min(Panels, cut.PanelParts);
            WorkerPool.Shared.Run(ref work, WinogradTiles.Planes * work.PanelParts, threads);
            work.Step = Step.Output;
            WorkerPool.Shared.Run(ref work, cut.TileParts, threads);
        }
    }

    private WinogradBlock CreateBlock(float* memory, in WinogradCut cut, int index)
    {
        var block = WinogradBlock.Create(memory, cut.TilesInBlock, _inChannels, _outChannels);
        (block.First, block.End) = cut.Block(index);
        return block;
    }

    /// <summary>Some panels of one of the 16 products.</summary>
    private void Multiply(in WinogradBlock block, int plane, int firstPanel, int endPanel)
    {
        var weights = _weights[plane];
        var rows = (nint)(block.End - block.First);
        nint segment = 0;
        var left = new LeftRows
        {
            Start = block.Input + (plane * block.InputPlane),
            RowStride = block.InputStride,
            Rows = rows,
            SegmentOffsets = &segment,
            Segments = 1,
            SegmentLength = _inChannels,
        };
        var target = block.Output + (plane * block.OutputPlane);
        for (var p = firstPanel; p < endPanel; p++)
        {
            // Meanwhile the next panel comes to the second-level cache, a piece of it with every tile of rows.
            var isLast = p + 1 == Panels;
            ref readonly var next = ref _weights[isLast ? Math.Min(plane + 1, WinogradTiles.Planes - 1) : plane].Panels[isLast ? 0 : p + 1];
            var v = weights.Table.VectorLength;
            left.Prefetch = next.Weights;
            left.PrefetchRowStride = (nint)next.Vectors * v * _inChannels / rows;
            left.PrefetchStep = Math.Clamp(left.PrefetchRowStride * MatrixTile.MostRows / _inChannels, 1, v);
            MatrixProduct.Run(weights, left, target, block.OutputStride, Activation.None, p, p + 1);
        }
    }

    private enum Step
    {
        Input,
        Products,
        Output,
    }

    private struct Work : IParallelWork
    {
        public WinogradLoop Loop;
        public WinogradTiles Tiles;
        public WinogradCut Cut;
        public float* InputImages;
        public float* OutputImages;

        /// <summary>The block that all threads work on, where they share one, and what they do to it.</summary>
        public WinogradBlock Block;
        public Step Step;
        public int PanelParts;

        public readonly void Execute(int part)
        {
            if (Cut.IsByBlocks)
            {
                var memory = Scratch.Tile(WinogradBlock.Size(Cut.TilesInBlock, Loop._inChannels, Loop._outChannels));
                var block = Loop.CreateBlock(memory, Cut, part);
                WinogradInput.Run(Tiles, InputImages, block, block.First, block.End, Loop._inputWidth);
                for (var plane = 0; plane < WinogradTiles.Planes; plane++)
                    Loop.Multiply(block, plane, 0, Loop.Panels);
                WinogradOutput.Run(Tiles, block, OutputImages, block.First, block.End, Loop._activation, Loop._outputWidth);
                return;
            }

            var (first, end) = Cut.Tiles(Block, part);
            switch (Step)
            {
                case Step.Input:
                    WinogradInput.Run(Tiles, InputImages, Block, first, end, Loop._inputWidth);
                    break;
                case Step.Output:
                    WinogradOutput.Run(Tiles, Block, OutputImages, first, end, Loop._activation, Loop._outputWidth);
                    break;
                default:
                    var (plane, run) = Math.DivRem(part, PanelParts);
                    Loop.Multiply(Block, plane, Loop.Panels * run / PanelParts, Loop.Panels * (run + 1) / PanelParts);
                    break;
            }
        }
    }
}
