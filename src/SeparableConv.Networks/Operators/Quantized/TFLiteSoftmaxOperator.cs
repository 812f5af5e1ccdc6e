using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// e^(beta*x) / the sum of those, along the last axis, of quantized bytes, in 32-bit fixed point. The output has scale 1/256 and the
/// least number of its element for 0.
/// </summary>
internal sealed unsafe class TFLiteSoftmaxOperator(float beta, Quantization output) : QuantizedOperator
{
    private const int InputIntegerBits = 31 - FixedPointExponential.InputFraction;
    private const int SumIntegerBits = 12;

    public override string Kind => "QuantizedSoftmax";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.Required(inputs, 0, "input");
        var least = QuantizedTypes.Range(input.Element).Least;
        if (!output.IsPerTensor || output.Scale != 1f / 256 || output.ZeroPoint != least)
        {
            throw new ArgumentException(
                $"The output has {output}; "
                + $"a softmax of {input.Element.ToString().ToLowerInvariant()} has scale 1/256 and zero point {least}.");
        }

        if (input.Shape.Rank == 0)
            throw new ArgumentException("The input is a scalar; softmax needs one dimension at least.");
        _ = Exponentials(input.Quantization!);
        return [new(input.Element, input.Shape, output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType) =>
        new SoftmaxStep(Exponentials(inputs[0].Quantization!), inputs[0].Shape[^1], inputs[0].Element);

    // e^-(d*scale*beta) in Q0.31 for each distance d of 0 to 255 from a row's maximum; -1 from where it no longer counts.
    private int[] Exponentials(Quantization input)
    {
        if (!float.IsFinite(beta) || beta <= 0)
            throw new ArgumentException(FormattableString.Invariant($"Softmax has beta {beta}; it must be finite and above 0."));
        var factor = Math.Min((double)beta * input.Scale * (1 << FixedPointExponential.InputFraction), int.MaxValue);
        var multiplier = FixedPointMultiplier.Create(factor);
        var radius = Math.Floor(((1 << InputIntegerBits) - 1) * Math.ScaleB(1, FixedPointExponential.InputFraction - multiplier.Shift));
        var exponentials = new int[256];
        for (var d = 0; d < 256; d++)
            exponentials[d] = d <= radius ? FixedPointExponential.OfNegative(multiplier.Multiply(-d)) : -1;
        return exponentials;
    }

    private sealed class SoftmaxStep : Step
    {
        private readonly int _depth;
        private readonly bool _isSigned;
        private readonly int[] _exponentials;

        // The exponentials as they are added up.
        private readonly int[] _terms;

        // For rows of two: the bytes of the larger and of the lesser, by their distance.
        private readonly byte[] _larger = [];
        private readonly byte[] _lesser = [];

        public SoftmaxStep(int[] exponentials, int depth, ElementType element)
        {
            (_exponentials, _depth, _isSigned) = (exponentials, depth, element == ElementType.Int8);
            _terms = Array.ConvertAll(exponentials, e => e < 0 ? 0 : FixedPointMultiplier.DivideByPowerOfTwo(e, SumIntegerBits));
            if (depth != 2)
                return;
            (_larger, _lesser) = (new byte[256], new byte[256]);
            for (var d = 0; d < 256; d++)
            {
                var share = Share.Of((long)_terms[0] + _terms[d]);
                (_larger[d], _lesser[d]) = (Byte(share, 0), Byte(share, d));
            }
        }

        public override void Run(ForwardContext context)
        {
            var work = new Work { Step = this, X = (byte*)context.Inputs[0].Memory, Y = (byte*)context.Outputs[0].Memory };
            ElementParts.Run(work, context.Inputs[0].Shape.ElementCount / _depth, 4L * _depth, context.Threads);
        }

        private byte Byte(in Share share, int distance)
        {
            var number = share.Times(_exponentials[distance]);
            return (byte)(_isSigned
                ? Math.Clamp(number + sbyte.MinValue, sbyte.MinValue, sbyte.MaxValue)
                : Math.Clamp(number, byte.MinValue, byte.MaxValue));
        }

        private void Pairs(byte* x, byte* y, nint rows)
        {
            for (; rows > 0; rows--, x += 2, y += 2)
            {
                var difference = _isSigned ? (sbyte)x[0] - (sbyte)x[1] : x[0] - x[1];
                var (first, second) = difference >= 0 ? (_larger, _lesser) : (_lesser, _larger);
                var distance = Math.Abs(difference);
                (y[0], y[1]) = (first[distance], second[distance]);
            }
        }

        private void Row(byte* x, byte* y)
        {
            // Signed bytes are turned into unsigned ones of the same order: distances are all that counts.
            var flip = _isSigned ? 0x80 : 0;
            var most = 0;
            for (var i = 0; i < _depth; i++)
                most = Math.Max(most, x[i] ^ flip);

            // The maximum itself adds 2^19, so that the sum is above 0; 2^12 and more of them no longer fit.
            long sum = 0;
            for (var i = 0; i < _depth; i++)
                sum += _terms[most - (x[i] ^ flip)];
            var share = Share.Of(sum);
            if (_depth < ByteLookup.Entries)
            {
                for (var i = 0; i < _depth; i++)
                    y[i] = Byte(share, most - (x[i] ^ flip));
                return;
            }

            // A long row has no more results than there are bytes.
            Span<byte> table = stackalloc byte[ByteLookup.Entries];
            for (var distance = 0; distance <= most; distance++)
                table[(most - distance) ^ flip] = Byte(share, distance);
            ByteLookup.Run(table, x, y, _depth);
        }

        private struct Work : IRangeWork
        {
            public SoftmaxStep Step;
            public byte* X;
            public byte* Y;

            public readonly void Run(nint start, nint end)
            {
                nint depth = Step._depth;
                if (depth == 2)
                {
                    Step.Pairs(X + (start * depth), Y + (start * depth), end - start);
                    return;
                }

                for (var row = start; row < end; row++)
                    Step.Row(X + (row * depth), Y + (row * depth));
            }
        }
    }

    /// <summary>What a row's exponentials are multiplied by: the reciprocal of their sum.</summary>
    private readonly record struct Share(int Scale, int Bits)
    {
        public static Share Of(long sum) =>
            new(FixedPointExponential.Reciprocal((int)Math.Min(sum, int.MaxValue), SumIntegerBits, out var bits), bits);

        /// <summary>In units of 1/256; 0 for an exponential that no longer counts.</summary>
        public int Times(int exponential) => exponential < 0
            ? 0
            : FixedPointMultiplier.DivideByPowerOfTwo(FixedPointMultiplier.DoublingHighMultiply(Scale, exponential), Bits + 31 - 8);
    }
}
