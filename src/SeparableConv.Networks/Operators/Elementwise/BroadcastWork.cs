using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Computes a range of the output of an element-wise operation of two broadcast operands, row by row. A short operand, such as a number for
/// each of a few channels, is repeated in a buffer first, so that rows are long enough for vectors.
/// </summary>
internal unsafe struct BroadcastWork : IRangeWork
{
    // The results of a block are still in the first-level cache when the activation reads them.
    private const int BlockElements = 4096;

    private const int ShortRow = 64;

    // Longer rows of one number are rows by themselves.
    private const int ShortEach = 16;

    private const int PatternBytes = 4096;

    private readonly StridedLoops _loops;
    private readonly BinaryRow _row;
    private readonly Activation _activation;
    private byte* _a;
    private byte* _b;
    private byte* _y;
    private readonly int _sizeA;
    private readonly int _sizeB;
    private readonly int _sizeY;
    private readonly Pattern _pattern;

    /// <param name="row">The operation.</param>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second operand.</param>
    /// <param name="y">The result, of the shape that both broadcast to.</param>
    /// <param name="activation">Applied to a float32 result where it looks at one element at a time.</param>
    public BroadcastWork(BinaryRow row, TensorType a, TensorType b, TensorType y, Activation activation)
    {
        _row = row;
        _activation = activation;
        _loops = StridedLoops.Broadcast(a.Shape, b.Shape, y.Shape);
        (_sizeA, _sizeB, _sizeY) = (a.Element.Size(), b.Element.Size(), y.Element.Size());
        _pattern = ChoosePattern(_loops);
    }

    /// <summary>The same, on memory.</summary>
    public BroadcastWork(BinaryRow row, TensorBuffer a, TensorBuffer b, TensorBuffer y, Activation activation)
        : this(row, a.Type, b.Type, y.Type, activation) => SetMemory(a, b, y);

    /// <summary>Which operand is repeated, row after row, while the other runs on.</summary>
    private enum Pattern
    {
        None,
        A,
        B,

        /// <summary>
        /// Each number of the second operand serves a few neighbours of the first, as one for all channels of a pixel does.
        /// </summary>
        EachOfB,
    }

    /// <summary>The same work on tensors of the types that it was made for.</summary>
    public readonly BroadcastWork On(TensorBuffer a, TensorBuffer b, TensorBuffer y)
    {
        var work = this;
        work.SetMemory(a, b, y);
        return work;
    }

    public readonly void Run(nint start, nint end)
    {
        var flat = !_activation.IsNone && !_activation.NeedsAllChannels && _activation.RequiredChannels == 0;
        for (var at = start; at < end; at += BlockElements)
        {
            var count = (int)Math.Min(BlockElements, end - at);
            if (_pattern == Pattern.None)
                RunRows(at, at + count);
            else if (_pattern == Pattern.EachOfB)
                RunEach(at, at + count);
            else
                RunPattern(at, at + count);
            if (flat)
                _activation.Apply((float*)_y + at, 1, count, SimdWidths.Best);
        }
    }

    private void SetMemory(TensorBuffer a, TensorBuffer b, TensorBuffer y)
    {
        _a = (byte*)a.Memory;
        _b = (byte*)b.Memory;
        _y = (byte*)y.Memory;
    }

    private readonly Pattern ChoosePattern(in StridedLoops loops)
    {
        var (inner, outer) = (loops.Count - 1, loops.Count - 2);
        var length = loops.Length(inner);
        if (outer < 0 || length >= ShortRow || loops.StrideA(inner) != 1)
            return Pattern.None;
        if (loops.StrideB(inner) == 0)
        {
            return _sizeB == sizeof(float) && length <= ShortEach && loops.StrideA(outer) == length && loops.StrideB(outer) == 1
                ? Pattern.EachOfB
                : Pattern.None;
        }

        if (loops.StrideB(inner) != 1)
            return Pattern.None;
        return loops.StrideA(outer) == 0 && loops.StrideB(outer) == length ? Pattern.A
            : loops.StrideB(outer) == 0 && loops.StrideA(outer) == length ? Pattern.B
            : Pattern.None;
    }

    private readonly void RunRows(nint start, nint end)
    {
        var inner = _loops.Count - 1;
        var length = _loops.Length(inner);
        var (strideA, strideB) = (_loops.StrideA(inner), _loops.StrideB(inner));
        var operands = strideB == 0 ? RowOperands.ScalarB : strideA == 0 ? RowOperands.ScalarA : RowOperands.Both;
        while (start < end)
        {
            var (row, column) = Math.DivRem(start, length);
            var count = (int)Math.Min(length - column, end - start);
            var (a, b) = _loops.Offsets(row, Math.Max(0, inner));
            _row.Run(
                _a + ((a + (column * strideA)) * _sizeA), _b + ((b + (column * strideB)) * _sizeB), _y + (start * _sizeY), count, operands);
            start += count;
        }
    }

    /// <summary>Runs the two inner loops as one; the operand that the outer of them repeats is read from the buffer.</summary>
    private readonly void RunPattern(nint start, nint end)
    {
        var buffer = stackalloc byte[PatternBytes];
        var outer = _loops.Count - 2;
        var period = (int)_loops.Length(outer + 1);
        var length = _loops.Length(outer) * period;
        var size = _pattern == Pattern.A ? _sizeA : _sizeB;
        var elements = PatternBytes / size / period * period;
        while (start < end)
        {
            var (row, column) = Math.DivRem(start, length);
            var stop = start + Math.Min(length - column, end - start);
            var (a, b) = _loops.Offsets(row, outer);
            var source = _pattern == Pattern.A ? _a + (a * _sizeA) : _b + (b * _sizeB);
            Repeat(source, period * size, buffer, (int)Math.Min(elements, length) * size);
            while (start < stop)
            {
                var phase = (int)(column % period);
                var count = (int)Math.Min(elements - phase, stop - start);
                if (_pattern == Pattern.A)
                    _row.Run(buffer + (phase * size), _b + ((b + column) * _sizeB), _y + (start * _sizeY), count, RowOperands.Both);
                else
                    _row.Run(_a + ((a + column) * _sizeA), buffer + (phase * size), _y + (start * _sizeY), count, RowOperands.Both);
                start += count;
                column += count;
            }
        }
    }

    /// <summary>Writes each number of the second operand out as often as it is used.</summary>
    private readonly void RunEach(nint start, nint end)
    {
        var buffer = stackalloc uint[PatternBytes / sizeof(uint)];
        var outer = _loops.Count - 2;
        var times = (int)_loops.Length(outer + 1);
        var length = _loops.Length(outer) * times;
        while (start < end)
        {
            var (row, column) = Math.DivRem(start, length);
            var (a, b) = _loops.Offsets(row, outer);
            var (first, phase) = Math.DivRem(column, times);
            var count = (int)Math.Min(Math.Min(length - column, end - start), (PatternBytes / sizeof(uint)) - times - phase);
            var numbers = (uint*)_b + b + first;
            for (var (at, i) = (0, 0); at < phase + count; i++)
            {
                for (var k = 0; k < times; k++)
                    buffer[at++] = numbers[i];
            }

            _row.Run(_a + ((a + column) * _sizeA), (byte*)(buffer + phase), _y + (start * _sizeY), count, RowOperands.Both);
            start += count;
        }
    }

    private static void Repeat(byte* source, int bytes, byte* target, int targetBytes)
    {
        for (var at = 0; at < targetBytes; at += bytes)
            new ReadOnlySpan<byte>(source, bytes).CopyTo(new Span<byte>(target + at, bytes));
    }
}

/// <summary>
/// An element-wise operation of two operands whose loops are set up once: what networks of small tensors spend most time on.
/// </summary>
internal sealed class BroadcastStep(BroadcastWork work, Activation activation) : Step
{
    public override void Run(ForwardContext context)
    {
        var (a, b, y) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        ElementParts.Run(work.On(a, b, y), y.Shape.ElementCount, 1, context.Threads);
        if (activation.NeedsAllChannels || activation.RequiredChannels > 0)
            ActivationWork.Run(activation, y, y, context.Threads);
    }
}
