using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// The gradients of a pointwise convolution or a dense layer, of its input and of its weights (C, O), from one reading of both tensors:
/// dx[p,c] = sum over o of dz[p,o] * w[c,o], dw[c,o] = sum over p of x[p,c] * dz[p,o].
/// </summary>
/// <remarks>
/// Blocks of pixels, small enough for the caches: x and dz of a block are made from what is stored (<see cref="ChannelMap"/>,
/// <see cref="GradientMap"/>), then multiplied with the transposed weights and with each other.
/// </remarks>
internal sealed unsafe class PointwiseGradientLoop : ConvGradientLoop
{
    // Both operands of a block: 1 MB. Every block reads and writes all sums, so that with many channels a longer one saves more than an
    // operand that the second-level cache holds.
    private const int BlockFloats = 256 * 1024;
    private const int MostBlockPixels = 256;
    private const int LeastBlockPixels = 4 * MatrixTile.MostRows;

    // Parts have sums of their own, which are added at the end.
    private const int MostParts = 16;
    private const int LeastParts = 4;
    private const int MostSumFloats = 1024 * 1024;
    private const int LeastToShare = 64 * 1024;

    private readonly nint _pixels;
    private readonly int _inChannels;
    private readonly int _outChannels;
    private readonly SimdWidth _inWidth;
    private readonly SimdWidth _outWidth;
    private readonly SimdWidth _width;
    private readonly nint _blocks;
    private readonly int _parts;
    private readonly PackedMatrix? _transposed;

    /// <summary>Prepares for so many pixels, with memory for packed weights where the input's gradient is wanted.</summary>
    public PointwiseGradientLoop(nint pixels, int inChannels, int outChannels, bool wantsInputGradient, SimdWidth width)
    {
        (_pixels, _inChannels, _outChannels, _width) = (pixels, inChannels, outChannels, width);
        _inWidth = SimdWidths.ForChannels(width, inChannels);
        _outWidth = SimdWidths.ForChannels(width, outChannels);
        var weights = (long)inChannels * outChannels;
        var block = Math.Clamp(BlockFloats / (inChannels + outChannels), LeastBlockPixels, MostBlockPixels);
        _blocks = Math.Max(1, (pixels + block - 1) / block);
        _parts = (int)Math.Min(_blocks, Math.Clamp(MostSumFloats / weights, LeastParts, MostParts));
        if (wantsInputGradient)
        {
            _transposed = new PackedMatrix(
                new float[checked((int)weights)], inChannels, outChannels, inChannels, default, width, segmentLength: outChannels);
        }
    }

    /// <summary>Floats that <see cref="Run"/> needs beside its tensors.</summary>
    public override nint ScratchFloats => Math.Max(_parts * PartFloats, (nint)_inChannels * _outChannels);

    // The weights' gradient of a part, then the two sums.
    private nint PartFloats => ((nint)_inChannels * _outChannels) + MaskedSums.Floats(_inChannels, _inWidth);

    private nint InStride => Scratch.RowStride(_inChannels);

    private nint OutStride => Scratch.RowStride(_outChannels);

    /// <inheritdoc/>
    public override void Run(in ConvGradientCall call, float* scratch, int threads)
    {
        if (call.InputGradient != null)
        {
            var transposing = new Transposing
            {
                Weights = call.Weights,
                Target = scratch,
                InChannels = _inChannels,
                OutChannels = _outChannels,
            };
            WorkerPool.Shared.Run(ref transposing, Transposing.Parts, _inChannels * _outChannels >= LeastToShare ? threads : 1);
            _transposed!.Fill(new ReadOnlySpan<float>(scratch, _inChannels * _outChannels), _inChannels, default, threads);
        }

        var work = new Work { Loop = this, Call = call, Sums = scratch };
        WorkerPool.Shared.Run(ref work, _parts, threads);
        if (call.WeightGradient != null)
        {
            var total = new Total { Loop = this, First = scratch, Target = call.WeightGradient };
            WorkerPool.Shared.Run(ref total, Math.Min(_inChannels, MostParts), threads);
        }

        if (call.ShiftGradient != null)
        {
            var sums = scratch + ((nint)_inChannels * _outChannels);
            MaskedSums.Total(sums, PartFloats, _parts, call.ShiftGradient, call.ScaleGradient, _inChannels, _inWidth);
        }
    }

    // (C, O) to (O, C), some rows of these a part.
    private struct Transposing : IParallelWork
    {
        public const int Parts = 4;

        public float* Weights;
        public float* Target;
        public int InChannels;
        public int OutChannels;

        public readonly void Execute(int part)
        {
            var first = OutChannels * part / Parts;
            var end = OutChannels * (part + 1) / Parts;
            if (end > first)
                TransposeLoop.Run(Weights + first, OutChannels, Target + ((nint)first * InChannels), InChannels, end - first, InChannels);
        }
    }

    private struct Work : IParallelWork
    {
        public PointwiseGradientLoop Loop;
        public ConvGradientCall Call;
        public float* Sums;

        public readonly void Execute(int part)
        {
            var sums = Sums + (part * Loop.PartFloats);
            new Span<float>(sums, checked((int)Loop.PartFloats)).Clear();
            var end = Loop._blocks * (part + 1) / Loop._parts;
            for (var block = Loop._blocks * part / Loop._parts; block < end; block++)
            {
                var first = Loop._pixels * block / Loop._blocks;
                RunBlock(first, (int)((Loop._pixels * (block + 1) / Loop._blocks) - first), sums);
            }
        }

        private readonly void RunBlock(nint first, int pixels, float* sums)
        {
            var (inChannels, outChannels) = (Loop._inChannels, Loop._outChannels);
            var z = Call.Input + (first * inChannels);
            var scratch = Scratch.Floats(pixels * (Loop.InStride + Loop.OutStride));
            var x = z;
            nint xStride = inChannels;
            if (Call.InputMap.IsPresent)
            {
                x = scratch;
                xStride = Loop.InStride;
                var map = new ChannelRows.MapWork
                {
                    Map = Call.InputMap,
                    Z = z,
                    X = x,
                    XStride = xStride,
                    Pixels = pixels,
                    Channels = inChannels,
                };
                Loop._inWidth.Dispatch(ref map);
            }

            var dz = Call.OutputGradient + (first * outChannels);
            nint dzStride = outChannels;
            if (Call.OutputMap.IsPresent)
            {
                var map = new ChannelRows.GradientMapWork
                {
                    Map = Call.OutputMap,
                    G = dz,
                    Z = Call.Output + (first * outChannels),
                    Dz = scratch + (pixels * Loop.InStride),
                    DzStride = Loop.OutStride,
                    Pixels = pixels,
                    Channels = outChannels,
                };
                Loop._outWidth.Dispatch(ref map);
                dz = map.Dz;
                dzStride = map.DzStride;
            }

            nint origin = 0;
            if (Call.WeightGradient != null)
            {
                var operands = new OuterOperands
                {
                    Left = x,
                    LeftStep = xStride,
                    Right = dz,
                    RightStep = dzStride,
                    LeftOffsets = &origin,
                    RightOffsets = &origin,
                    Segments = 1,
                    Steps = pixels,
                };
                OuterProduct.Add(operands, sums, outChannels, inChannels, outChannels, Loop._width);
            }

            if (Call.InputGradient == null)
                return;
            var left = new LeftRows
            {
                Start = dz,
                RowStride = dzStride,
                Rows = pixels,
                SegmentOffsets = &origin,
                Segments = 1,
                SegmentLength = outChannels,
            };
            var dx = Call.InputGradient + (first * inChannels);
            var transposed = Loop._transposed!;
            MatrixProduct.Run(transposed, left, dx, inChannels, Activation.None, 0, transposed.Panels.Length);
            if (!Call.InputMap.IsPresent)
                return;
            var mask = new MaskedSums
            {
                Map = Call.InputMap,
                Z = z,
                Dx = dx,
                Pixels = pixels,
                Channels = inChannels,
                Sums = sums + ((nint)inChannels * outChannels),
            };
            Loop._inWidth.Dispatch(ref mask);
        }
    }

    // Adds up the parts' sums, some input channels a piece.
    private struct Total : IParallelWork
    {
        public PointwiseGradientLoop Loop;
        public float* First;
        public float* Target;

        public readonly void Execute(int part)
        {
            var pieces = Math.Min(Loop._inChannels, MostParts);
            var start = (int)((long)Loop._inChannels * part / pieces) * (nint)Loop._outChannels;
            var count = ((int)((long)Loop._inChannels * (part + 1) / pieces) * (nint)Loop._outChannels) - start;
            Partials.Add(First + start, Loop.PartFloats, Loop._parts, Target + start, checked((int)count));
        }
    }
}
