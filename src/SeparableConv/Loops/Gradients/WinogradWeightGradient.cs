using System.Numerics;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// The gradient of the weights of a 3x3 convolution of stride 1 after Winograd, the transpose of F(2x2, 3x3): dw = G'[ sum over tiles of
/// (B'dB) * (AgA') ]G, d a tile's 4x4 input pixels, g its 2x2 gradients, * number by number. 16 multiplications a tile, channel and filter
/// where the direct form has 36.
/// </summary>
/// <remarks>
/// Over all tiles the sums are 16 sums of outer products, (C, O) each. Blocks of tiles follow each other: their input and gradient are
/// transformed, then threads share planes and channels, so that each sum is of one thread at a time and in the order of the blocks.
/// </remarks>
internal sealed unsafe class WinogradWeightGradient
{
    // Transformed tiles of a block; with fewer the sums would be loaded and stored too often.
    private const int BlockFloats = 512 * 1024;
    private const int LeastBlockTiles = 96;
    private const int MostBlockTiles = 256;

    private const int TileParts = 8;
    private const int SlicesOfPlane = 2;

    private readonly WinogradTiles _tiles;
    private readonly int _inChannels;
    private readonly int _outChannels;
    private readonly SimdWidth _width;
    private readonly nint _blocks;
    private readonly nint _blockTiles;

    /// <summary>Prepares for images of one size that <see cref="Handles"/> says yes to.</summary>
    public WinogradWeightGradient(in ConvGeometry geometry, SimdWidth width)
    {
        _tiles = new(geometry);
        (_inChannels, _outChannels, _width) = (geometry.InChannels, geometry.OutChannels, width);
        var wanted = Math.Clamp(
            BlockFloats / (WinogradTiles.Planes * ((long)_inChannels + _outChannels)), LeastBlockTiles, MostBlockTiles);
        _blocks = (nint)((_tiles.Count + wanted - 1) / wanted);
        _blockTiles = (nint)((_tiles.Count + _blocks - 1) / _blocks);
    }

    /// <summary>Floats that <see cref="Run"/> needs beside its tensors: the sums and a block.</summary>
    public nint ScratchFloats => (WinogradTiles.Planes * Matrix) + WinogradBlock.Size(_blockTiles, _inChannels, _outChannels);

    private nint Matrix => (nint)_inChannels * _outChannels;

    /// <summary>Whether it is possible and faster.</summary>
    public static bool Handles(in ConvGeometry geometry)
    {
        var fits = geometry is { Groups: 1, Rows: { Kernel: 3, Stride: 1, Dilation: 1 }, Columns: { Kernel: 3, Stride: 1, Dilation: 1 } };
        return fits && StandardForms.WinogradPays(geometry.InChannels, geometry.OutChannels)
            && new WinogradTiles(geometry).InImage >= StandardForms.LeastTiles;
    }

    /// <summary>Computes dw (3, 3, C, O).</summary>
    public void Run(float* input, float* gradient, float* weightGradient, float* scratch, int threads)
    {
        new Span<float>(scratch, checked((int)(WinogradTiles.Planes * Matrix))).Clear();
        var work = new Work
        {
            Loop = this,
            Input = input,
            Gradient = gradient,
            Sums = scratch,
            Target = weightGradient,
            Block = WinogradBlock.Create(scratch + (WinogradTiles.Planes * Matrix), _blockTiles, _inChannels, _outChannels),
        };
        for (nint block = 0; block < _blocks; block++)
        {
            (work.Block.First, work.Block.End) = (_tiles.Count * block / _blocks, _tiles.Count * (block + 1) / _blocks);
            work.Step = Step.Transform;
            WorkerPool.Shared.Run(ref work, 2 * TileParts, threads);
            work.Step = Step.Products;
            WorkerPool.Shared.Run(ref work, WinogradTiles.Planes * SlicesOfPlane, threads);
        }

        work.Step = Step.Weights;
        WorkerPool.Shared.Run(ref work, _inChannels, threads);
    }

    private enum Step
    {
        Transform,
        Products,
        Weights,
    }

    private struct Work : IParallelWork
    {
        public WinogradWeightGradient Loop;
        public float* Input;
        public float* Gradient;
        public float* Sums;
        public float* Target;
        public WinogradBlock Block;
        public Step Step;

        public readonly void Execute(int part)
        {
            switch (Step)
            {
                case Step.Transform:
                    Transform(part);
                    break;
                case Step.Products:
                    Multiply(part);
                    break;
                default:
                    Finish(part);
                    break;
            }
        }

        // Even parts transform input, odd ones gradients.
        private readonly void Transform(int part)
        {
            var count = Block.End - Block.First;
            var first = Block.First + (count * (part / 2) / TileParts);
            var end = Block.First + (count * ((part / 2) + 1) / TileParts);
            var width = SimdWidths.ForChannels(Loop._width, part % 2 == 0 ? Loop._inChannels : Loop._outChannels);
            if (part % 2 == 0)
                WinogradInput.Run(Loop._tiles, Input, Block, first, end, width);
            else
                WinogradOutputGradient.Run(Loop._tiles, Gradient, Block, first, end, width);
        }

        private readonly void Multiply(int part)
        {
            var (plane, slice) = Math.DivRem(part, SlicesOfPlane);
            var first = Loop._inChannels * slice / SlicesOfPlane;
            var end = Loop._inChannels * (slice + 1) / SlicesOfPlane;
            nint origin = 0;
            var operands = new OuterOperands
            {
                Left = Block.Input + (plane * Block.InputPlane) + first,
                LeftStep = Block.InputStride,
                Right = Block.Output + (plane * Block.OutputPlane),
                RightStep = Block.OutputStride,
                LeftOffsets = &origin,
                RightOffsets = &origin,
                Segments = 1,
                Steps = (int)(Block.End - Block.First),
            };
            var sums = Sums + (plane * Loop.Matrix) + ((nint)first * Loop._outChannels);
            OuterProduct.Add(operands, sums, Loop._outChannels, end - first, Loop._outChannels, Loop._width);
        }

        // G'MG for one input channel: lines of M first, then columns.
        private readonly void Finish(int channel)
        {
            var (filters, matrix) = (Loop._outChannels, Loop.Matrix);
            var from = Sums + ((nint)channel * filters);
            var to = Target + ((nint)channel * filters);
            var lines = stackalloc Vector<float>[3 * WinogradTiles.InputSide];
            for (var o = 0; o < filters; o += Vector<float>.Count)
            {
                // The last vector is moved left over its neighbour; there are at least as many filters as lanes.
                var at = Math.Min(o, filters - Vector<float>.Count);
                for (var column = 0; column < WinogradTiles.InputSide; column++)
                {
                    var source = from + (column * matrix) + at;
                    Combine(
                        Vector.Load(source),
                        Vector.Load(source + (4 * matrix)),
                        Vector.Load(source + (8 * matrix)),
                        Vector.Load(source + (12 * matrix)),
                        out lines[column],
                        out lines[WinogradTiles.InputSide + column],
                        out lines[(2 * WinogradTiles.InputSide) + column]);
                }

                for (var row = 0; row < 3; row++)
                {
                    var line = lines + (row * WinogradTiles.InputSide);
                    Combine(line[0], line[1], line[2], line[3], out var left, out var middle, out var right);
                    var target = to + (3 * row * matrix) + at;
                    Vector.Store(left, target);
                    Vector.Store(middle, target + matrix);
                    Vector.Store(right, target + (2 * matrix));
                }
            }
        }

        // G' = [1 1/2 1/2 0; 0 1/2 -1/2 0; 0 1/2 1/2 1] times four numbers.
        private static void Combine(
            Vector<float> a,
            Vector<float> b,
            Vector<float> c,
            Vector<float> d,
            out Vector<float> first,
            out Vector<float> second,
            out Vector<float> third)
        {
            var half = (b + c) * 0.5f;
            (first, second, third) = (a + half, (b - c) * 0.5f, half + d);
        }
    }
}
