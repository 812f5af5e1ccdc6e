using System.Runtime.CompilerServices;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Fills a tensor from another by a table for each dimension: y[i_0, i_1, ...] = x[t_0[i_0], t_1[i_1], ...], or a constant where one
/// of the tables says <see cref="Nothing"/>. Paddings, and enlargements that repeat pixels.
/// </summary>
/// <remarks>
/// It is made once for a shape and used by every run. Trailing dimensions whose table changes nothing are copied as one block. In the
/// dimension before them, indexes that follow each other are copied as one run, so that only borders go element by element.
/// </remarks>
internal sealed unsafe class IndexedCopy
{
    /// <summary>The entry of a table that stands for the constant.</summary>
    public const int Nothing = -1;

    private const long BytesPerPart = 64 * 1024;

    // A run of the constant up to here is copied from a row that holds it.
    private const int ShortFill = 512;

    private readonly int _elementSize;
    private readonly ulong _constant;

    // The dimensions before the one that is cut into runs.
    private readonly int[][] _outer;
    private readonly long[] _outerStrides;
    private readonly (long Source, long Bytes)[] _runs;
    private readonly long _rowBytes;
    private readonly long _rows;
    private readonly int _parts;

    // Where the tables of the outer dimensions change nothing, the bytes from one row of the source to the next; else 0.
    private readonly nint _sourceRowBytes;

    /// <param name="input">The source's shape.</param>
    /// <param name="indexes">
    /// For each dimension of the target, as long as it is, the source's index or <see cref="Nothing"/>; none is empty.
    /// </param>
    /// <param name="elementSize">Bytes of an element: 1, 2, 4 or 8.</param>
    /// <param name="constant">The constant's bits.</param>
    public IndexedCopy(TensorShape input, int[][] indexes, int elementSize, ulong constant = 0)
    {
        (_elementSize, _constant) = (elementSize, constant);
        var cut = indexes.Length - 1;
        long block = elementSize;
        for (; cut >= 0 && ChangesNothing(indexes[cut], input[cut]); cut--)
            block *= input[cut];

        _runs = cut < 0 ? [(0, block)] : Runs(indexes[cut], block);
        _rowBytes = block * (cut < 0 ? 1 : indexes[cut].Length);
        _outer = indexes[..Math.Max(0, cut)];
        _outerStrides = new long[_outer.Length];
        _rows = 1;
        var stride = cut < 0 ? 0 : block * input[cut];
        for (var d = _outer.Length - 1; d >= 0; d--)
        {
            _outerStrides[d] = stride;
            stride *= input[d];
            _rows *= _outer[d].Length;
        }

        var isPlain = cut >= 0;
        for (var d = 0; d < _outer.Length; d++)
            isPlain &= ChangesNothing(_outer[d], input[d]);
        _sourceRowBytes = isPlain ? (nint)(block * input[cut]) : 0;
        _parts = (int)Math.Clamp(_rows * _rowBytes / BytesPerPart, 1, Math.Min(_rows, 1 << 16));
    }

    /// <summary>Fills the target; source and target do not overlap.</summary>
    public void Run(void* source, void* target, int threads)
    {
        var work = new Work { Copy = this, Source = (byte*)source, Target = (byte*)target };
        WorkerPool.Shared.Run(ref work, _parts, threads);
    }

    private static bool ChangesNothing(int[] indexes, int length)
    {
        if (indexes.Length != length)
            return false;
        for (var i = 0; i < indexes.Length; i++)
        {
            if (indexes[i] != i)
                return false;
        }

        return true;
    }

    private static (long Source, long Bytes)[] Runs(int[] indexes, long block)
    {
        var runs = new List<(long Source, long Bytes)>();
        for (int i = 0, next; i < indexes.Length; i = next)
        {
            next = i + 1;
            if (indexes[i] == Nothing)
            {
                while (next < indexes.Length && indexes[next] == Nothing)
                    next++;
                runs.Add((Nothing, (next - i) * block));
            }
            else
            {
                while (next < indexes.Length && indexes[next] == indexes[i] + (next - i))
                    next++;
                runs.Add((indexes[i] * block, (next - i) * block));
            }
        }

        return [.. runs];
    }

    private void RunRow(byte* source, byte* target, long row)
    {
        target += row * _rowBytes;
        for (var d = _outer.Length - 1; d >= 0; d--)
        {
            (row, var index) = Math.DivRem(row, _outer[d].Length);
            var from = _outer[d][index];
            if (from == Nothing)
            {
                Fill(target, _rowBytes);
                return;
            }

            source += from * _outerStrides[d];
        }

        foreach (var (from, bytes) in _runs)
        {
            if (from == Nothing)
                Fill(target, bytes);
            else if (bytes == sizeof(float))
                Unsafe.WriteUnaligned(target, Unsafe.ReadUnaligned<float>(source + from));
            else
                Buffer.MemoryCopy(source + from, target, bytes, bytes);
            target += bytes;
        }
    }

    /// <summary>Rows of a source whose rows follow each other: run by run, all rows at one go.</summary>
    private void RunPlain(byte* source, byte* target, long row, long rows)
    {
        source += row * _sourceRowBytes;
        target += row * _rowBytes;
        var constant = stackalloc byte[ShortFill];
        foreach (var (from, bytes) in _runs)
        {
            if (from != Nothing)
            {
                RowCopy.Run(source + from, _sourceRowBytes, target, (nint)_rowBytes, (nint)bytes, (nint)rows);
            }
            else if (bytes <= ShortFill)
            {
                Fill(constant, bytes);
                RowCopy.Run(constant, 0, target, (nint)_rowBytes, (nint)bytes, (nint)rows);
            }
            else
            {
                for (long at = 0; at < rows; at++)
                    Fill(target + (at * _rowBytes), bytes);
            }

            target += bytes;
        }
    }

    private void Fill(byte* target, long bytes)
    {
        // In pieces: a span counts to 2^31 only.
        for (long done = 0; done < bytes; done += 1 << 30)
        {
            var piece = (int)Math.Min(bytes - done, 1 << 30);
            var work = new FillWork { Target = target + done, Bytes = piece, Constant = _constant };
            ElementDispatch.Bits(_elementSize, ref work);
        }
    }

    private struct FillWork : IBitsWork
    {
        public byte* Target;
        public int Bytes;
        public ulong Constant;

        public readonly void Run<T>()
            where T : unmanaged
        {
            var constant = Constant;
            new Span<T>(Target, Bytes / sizeof(T)).Fill(Unsafe.As<ulong, T>(ref constant));
        }
    }

    private struct Work : IParallelWork
    {
        public IndexedCopy Copy;
        public byte* Source;
        public byte* Target;

        public readonly void Execute(int part)
        {
            var (row, end) = (
                (long)((Int128)Copy._rows * part / Copy._parts), (long)((Int128)Copy._rows * (part + 1) / Copy._parts));
            if (Copy._sourceRowBytes > 0)
            {
                Copy.RunPlain(Source, Target, row, end - row);
                return;
            }

            for (; row < end; row++)
                Copy.RunRow(Source, Target, row);
        }
    }
}

/// <summary>A step that fills its output from its first input by tables, or does nothing where the output is empty.</summary>
internal sealed unsafe class IndexedCopyStep(IndexedCopy? copy) : Step
{
    public override void Run(ForwardContext context) =>
        copy?.Run(context.Inputs[0].Memory, context.Outputs[0].Memory, context.Threads);
}
