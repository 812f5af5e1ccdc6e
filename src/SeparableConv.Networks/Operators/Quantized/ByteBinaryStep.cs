namespace SeparableConv.Networks.Operators;

/// <summary>The innermost loop of an operation on two tensors of bytes.</summary>
internal unsafe interface IByteRun
{
    /// <summary>Computes <paramref name="count"/> bytes; an operand whose step is 0 is one byte for all, else its step is 1.</summary>
    void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count);
}

/// <summary>
/// An operation on two tensors of bytes with NumPy's broadcasting, run by run. A short operand that is repeated, such as a number for each
/// of a few channels, is written out in a buffer first, so that runs are long enough for vectors.
/// </summary>
internal sealed unsafe class ByteBinaryStep<TRun>(BroadcastRows rows, TRun run) : Step
    where TRun : IByteRun
{
    private const int BufferBytes = 4096;

    public override void Run(ForwardContext context)
    {
        var work = new Work
        {
            Rows = rows,
            Each = run,
            A = (byte*)context.Inputs[0].Memory,
            B = (byte*)context.Inputs[1].Memory,
            Y = (byte*)context.Outputs[0].Memory,
        };
        ElementParts.Run(work, (long)rows.Rows * rows.RowLength, 1, context.Threads);
    }

    private struct Work : IRangeWork
    {
        public BroadcastRows Rows;
        public TRun Each;
        public byte* A;
        public byte* B;
        public byte* Y;

        public readonly void Run(nint start, nint end)
        {
            if (Rows.Repeated != RepeatedOperand.None)
            {
                RunRepeated(start, end);
                return;
            }

            foreach (var (at, a, b, count) in Rows.Parts(start, end))
                Each.Run(A + a, Rows.FirstStep, B + b, Rows.SecondStep, Y + at, count);
        }

        private readonly void RunRepeated(nint start, nint end)
        {
            var buffer = stackalloc byte[BufferBytes];
            var (period, length) = (Rows.RowLength, Rows.RepeatedRows * (nint)Rows.RowLength);
            var room = BufferBytes / period * period;
            while (start < end)
            {
                var (block, within) = Math.DivRem(start, length);
                var (a, b) = Rows.Row((int)block * Rows.RepeatedRows);
                var isFirst = Rows.Repeated == RepeatedOperand.First;
                var other = isFirst ? B + b : A + a;
                Repeat(isFirst ? A + a : B + b, period, buffer, (int)Math.Min(room, length));
                for (var stop = start + Math.Min(length - within, end - start); start < stop;)
                {
                    var phase = (int)(within % period);
                    var count = Math.Min(room - phase, stop - start);
                    if (isFirst)
                        Each.Run(buffer + phase, 1, other + within, 1, Y + start, count);
                    else
                        Each.Run(other + within, 1, buffer + phase, 1, Y + start, count);
                    start += count;
                    within += count;
                }
            }
        }

        // Doubling what is there, the copies are long.
        private static void Repeat(byte* source, int bytes, byte* target, int targetBytes)
        {
            var all = new Span<byte>(target, targetBytes);
            new ReadOnlySpan<byte>(source, bytes).CopyTo(all);
            for (var done = bytes; done < targetBytes; done *= 2)
                all[..Math.Min(done, targetBytes - done)].CopyTo(all[done..]);
        }
    }
}
