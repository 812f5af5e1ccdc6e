using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Copies elements between two places that an index of several dimensions addresses with strides of its own:
/// target[targetOffset + sum of i_d*targetStride_d] = source[sourceOffset + sum of i_d*sourceStride_d]. A stride of the source may be
/// 0 (one element for many) or negative (backwards).
/// </summary>
/// <remarks>
/// It is made once for a shape and used by every run. Dimensions are joined where one stride serves both. The innermost loop is then a
/// copy of bytes, a transposition together with one other loop, or a loop over elements.
/// </remarks>
internal sealed unsafe class StridedCopy
{
    // Enough to be worth a hand-over to another thread, small enough for its cache.
    private const long BytesPerPart = 64 * 1024;
    private const int ElementsPerTile = 4096;
    private const int ShortestTile = 64;

    // A transposition of so few elements is a table of them, many of which are copied at one go: the channels of a pixel that becomes a
    // square of pixels.
    private const int MostPieces = 64;
    private const int LeastRows = 8;

    private readonly int _elementSize;
    private readonly long _sourceOffset;
    private readonly long _targetOffset;

    // The loops around the innermost one or two, outermost first; strides in bytes.
    private readonly (int Length, long Source, long Target)[] _outer;
    private readonly (int Length, long Source, long Target) _inner;

    // For a transposition: the dimension along which the source is contiguous, as the inner one is where the target is. One of
    // the two is cut into tiles, which are the last of the outer loops.
    private readonly (int Length, long Source, long Target) _across;
    private readonly bool _tilesAcross;
    private readonly int _tileLength;
    private readonly Loop _loop;

    // Where each byte offset of a piece's target is read, element by element.
    private readonly int[] _pieces = [];
    private readonly long _units;
    private readonly int _parts;

    /// <param name="lengths">How often each dimension repeats.</param>
    /// <param name="sourceStrides">Of each dimension, in elements.</param>
    /// <param name="targetStrides">Of each dimension, in elements; no two indexes may address the same element.</param>
    /// <param name="elementSize">Bytes of an element: 1, 2, 4 or 8.</param>
    /// <param name="sourceOffset">Where index 0 reads, in elements.</param>
    /// <param name="targetOffset">Where index 0 writes, in elements.</param>
    public StridedCopy(
        ReadOnlySpan<int> lengths,
        ReadOnlySpan<long> sourceStrides,
        ReadOnlySpan<long> targetStrides,
        int elementSize,
        long sourceOffset = 0,
        long targetOffset = 0)
    {
        (_sourceOffset, _targetOffset) = (sourceOffset * elementSize, targetOffset * elementSize);
        var (loops, elements) = Merge(lengths, sourceStrides, targetStrides, elementSize);
        var bytes = elements * elementSize;
        if (elements == 0)
        {
            _outer = [];
            return;
        }

        // Runs of 2, 4 or 8 bytes are elements themselves, not copies: pairs of floats out of 4420 boxes took 27 us, and take 3.
        if (loops.Count > 1 && loops[^1] is var run && run.Source == elementSize && run.Target == elementSize
            && (long)run.Length * elementSize is 2 or 4 or 8)
        {
            elementSize *= run.Length;
            loops.RemoveAt(loops.Count - 1);
        }

        _elementSize = elementSize;
        _inner = loops.Count > 0 ? loops[^1] : (1, elementSize, elementSize);
        if (loops.Count > 0)
            loops.RemoveAt(loops.Count - 1);
        var across = loops.FindLastIndex(loop => loop.Source == elementSize);
        if (_inner.Source == elementSize && _inner.Target == elementSize)
        {
            _loop = Loop.Run;

            // The order of the loops around a run is free: rows at one go should be many.
            if (loops.Count > 1 && loops[^1].Length < LeastRows
                && loops.FindLastIndex(loop => loop.Length >= LeastRows) is var longer and >= 0)
            {
                var moved = loops[longer];
                loops.RemoveAt(longer);
                loops.Add(moved);
            }
        }
        else if (across >= 0 && _inner.Target == elementSize && _inner.Source > 0)
        {
            _loop = Loop.Transposition;
            _across = loops[across];
            loops.RemoveAt(across);
            if (Pieces(loops) is { } pieces)
            {
                (_loop, _pieces) = (Loop.Pieces, pieces);
            }
            else
            {
                _tilesAcross = _across.Length >= _inner.Length;
                var (cut, other) = _tilesAcross ? (_across, _inner) : (_inner, _across);
                _tileLength = Math.Max(ShortestTile, ElementsPerTile / other.Length / ShortestTile * ShortestTile);
                loops.Add((((cut.Length - 1) / _tileLength) + 1, cut.Source * _tileLength, cut.Target * _tileLength));
            }
        }
        else
        {
            _loop = Loop.Elements;
        }

        _outer = [.. loops];
        _units = 1;
        foreach (var (length, _, _) in _outer)
            _units *= length;
        _parts = (int)Math.Clamp(bytes / BytesPerPart, 1, Math.Min(_units, 1 << 16));
    }

    private enum Loop
    {
        Nothing,
        Run,
        Transposition,
        Pieces,
        Elements,
    }

    // For a short transposition whose target has no gaps, among many: where its elements are read. Null elsewhere.
    private int[]? Pieces(List<(int Length, long Source, long Target)> outer)
    {
        var count = (long)_across.Length * _inner.Length;
        if (count > MostPieces || _across.Target != _inner.Length * (long)_elementSize || outer.Count == 0 || outer[^1].Length < LeastRows)
            return null;
        var pieces = new int[count];
        for (var i = 0; i < pieces.Length; i++)
        {
            var offset = (i / _inner.Length * _across.Source) + (i % _inner.Length * _inner.Source);
            if (offset > int.MaxValue)
                return null;
            pieces[i] = (int)offset;
        }

        return pieces;
    }

    /// <summary>Copies; source and target do not overlap.</summary>
    public void Run(void* source, void* target, int threads)
    {
        if (_loop == Loop.Nothing)
            return;
        var work = new Work { Copy = this, Source = (byte*)source + _sourceOffset, Target = (byte*)target + _targetOffset };
        WorkerPool.Shared.Run(ref work, _parts, threads);
    }

    // Without the dimensions of length 1, and with neighbours made one where both ends walk through them in one stride.
    private static (List<(int Length, long Source, long Target)> Loops, long Elements) Merge(
        ReadOnlySpan<int> lengths, ReadOnlySpan<long> sourceStrides, ReadOnlySpan<long> targetStrides, int elementSize)
    {
        var loops = new List<(int Length, long Source, long Target)>();
        long elements = 1;
        for (var d = 0; d < lengths.Length; d++)
        {
            elements *= lengths[d];
            if (lengths[d] == 1)
                continue;
            var (length, source, target) = (lengths[d], sourceStrides[d] * elementSize, targetStrides[d] * elementSize);
            if (loops.Count > 0 && loops[^1] is var last && last.Source == length * source && last.Target == length * target
                && (long)last.Length * length <= int.MaxValue)
            {
                loops[^1] = (last.Length * length, source, target);
            }
            else
            {
                loops.Add((length, source, target));
            }
        }

        return (loops, elements);
    }

    private void RunUnits(byte* source, byte* target, long first, long end)
    {
        // At most 63 loops are left: each repeats twice or more, and the elements are counted in 63 bits.
        var at = stackalloc int[_outer.Length];
        var rest = first;
        for (var d = _outer.Length - 1; d >= 0; d--)
        {
            (rest, var index) = Math.DivRem(rest, _outer[d].Length);
            at[d] = (int)index;
            source += index * _outer[d].Source;
            target += index * _outer[d].Target;
        }

        var last = _outer.Length - 1;
        for (var unit = first; unit < end; unit++)
        {
            if (_loop is Loop.Run or Loop.Pieces && last >= 0)
            {
                // All rows of the last loop at one go.
                var (length, sourceStride, targetStride) = _outer[last];
                var rows = (nint)Math.Min(length - at[last], end - unit);
                RunRows(source, (nint)sourceStride, target, (nint)targetStride, rows);
                source += (rows - 1) * sourceStride;
                target += (rows - 1) * targetStride;
                at[last] += (int)(rows - 1);
                unit += rows - 1;
            }
            else
            {
                RunUnit(source, target, last >= 0 ? at[last] : 0);
            }

            for (var d = _outer.Length - 1; d >= 0; d--)
            {
                ref readonly var loop = ref _outer[d];
                source += loop.Source;
                target += loop.Target;
                if (++at[d] < loop.Length)
                    break;
                source -= loop.Length * loop.Source;
                target -= loop.Length * loop.Target;
                at[d] = 0;
            }
        }
    }

    private void RunRows(byte* source, nint sourceStride, byte* target, nint targetStride, nint rows)
    {
        if (_loop == Loop.Run)
        {
            RowCopy.Run(source, sourceStride, target, targetStride, (nint)_inner.Length * _elementSize, rows);
            return;
        }

        var work = new PiecesWork
        {
            Pieces = _pieces,
            Source = source,
            SourceStride = sourceStride,
            Target = target,
            TargetStride = targetStride,
            Rows = rows,
        };
        ElementDispatch.Bits(_elementSize, ref work);
    }

    private void RunUnit(byte* source, byte* target, int tile)
    {
        switch (_loop)
        {
            case Loop.Run:
                Buffer.MemoryCopy(source, target, (long)_inner.Length * _elementSize, (long)_inner.Length * _elementSize);
                break;
            case Loop.Transposition:
                var (rows, columns) = (_across.Length, _inner.Length);
                if (_tilesAcross)
                    rows = Math.Min(_tileLength, rows - (tile * _tileLength));
                else
                    columns = Math.Min(_tileLength, columns - (tile * _tileLength));
                var transposition = new TransposeWork { Copy = this, Source = source, Target = target, Rows = rows, Columns = columns };
                ElementDispatch.Bits(_elementSize, ref transposition);
                break;
            default:
                var elements = new ElementsWork { Copy = this, Source = source, Target = target };
                ElementDispatch.Bits(_elementSize, ref elements);
                break;
        }
    }


    private void Transpose<T>(byte* source, byte* target, int rows, int columns)
        where T : unmanaged
    {
        var (from, to) = ((nint)(_inner.Source / sizeof(T)), (nint)(_across.Target / sizeof(T)));
        TransposeLoop.Run((T*)source, from, (T*)target, to, rows, columns);
    }

    private void Elements<T>(byte* source, byte* target)
        where T : unmanaged
    {
        var (length, sourceStride, targetStride) = _inner;
        if (sourceStride == 0 && targetStride == sizeof(T))
        {
            new Span<T>(target, length).Fill(*(T*)source);
            return;
        }

        for (var i = 0; i < length; i++, source += sourceStride, target += targetStride)
            *(T*)target = *(T*)source;
    }

    private struct TransposeWork : IBitsWork
    {
        public StridedCopy Copy;
        public byte* Source;
        public byte* Target;
        public int Rows;
        public int Columns;

        public readonly void Run<T>()
            where T : unmanaged => Copy.Transpose<T>(Source, Target, Rows, Columns);
    }

    private struct PiecesWork : IBitsWork
    {
        public int[] Pieces;
        public byte* Source;
        public nint SourceStride;
        public byte* Target;
        public nint TargetStride;
        public nint Rows;

        public readonly void Run<T>()
            where T : unmanaged
        {
            var (source, target) = ((nint)Source, (nint)Target);
            for (nint row = 0; row < Rows; row++, source += SourceStride, target += TargetStride)
            {
                for (var i = 0; i < Pieces.Length; i++)
                    ((T*)target)[i] = *(T*)(source + Pieces[i]);
            }
        }
    }

    private struct ElementsWork : IBitsWork
    {
        public StridedCopy Copy;
        public byte* Source;
        public byte* Target;

        public readonly void Run<T>()
            where T : unmanaged => Copy.Elements<T>(Source, Target);
    }

    private struct Work : IParallelWork
    {
        public StridedCopy Copy;
        public byte* Source;
        public byte* Target;

        public readonly void Execute(int part)
        {
            // In 128 bits: units and parts are each below 2^63 only.
            var first = (long)((Int128)Copy._units * part / Copy._parts);
            var end = (long)((Int128)Copy._units * (part + 1) / Copy._parts);
            Copy.RunUnits(Source, Target, first, end);
        }
    }
}

/// <summary>A step that copies from inputs to outputs.</summary>
internal sealed unsafe class StridedCopyStep(params (StridedCopy Copy, int Input, int Output)[] copies) : Step
{
    public override void Run(ForwardContext context)
    {
        foreach (var (copy, input, output) in copies)
            copy.Run(context.Inputs[input].Memory, context.Outputs[output].Memory, context.Threads);
    }
}
