using System.Numerics;
using System.Runtime.CompilerServices;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>What is put around a tensor; each rule is shown for the row a..h.</summary>
internal enum PadMode
{
    /// <summary>vvv|abcdefgh|vvv: one value.</summary>
    Constant,

    /// <summary>dcb|abcdefgh|gfe: mirrored about the middle of the edge element, again and again where more is asked for.</summary>
    Reflect,

    /// <summary>aaa|abcdefgh|hhh: the edge element repeated.</summary>
    Edge,

    /// <summary>fgh|abcdefgh|abc: the row repeated.</summary>
    Wrap,
}

/// <summary>Puts elements before and after each dimension. A negative pad takes elements away, before any are added.</summary>
/// <param name="before">Elements to put before each dimension.</param>
/// <param name="after">Elements to put after it.</param>
/// <param name="mode">What they are.</param>
/// <param name="constantValue">The number that <see cref="PadMode.Constant"/> puts, cut to what the element type can hold.</param>
internal sealed class PadOperator(int[] before, int[] after, PadMode mode, double constantValue) : ShapeOperator
{
    public override string Kind => "Pad";

    /// <summary>Elements before each dimension.</summary>
    public ReadOnlySpan<int> Before => before;

    /// <summary>Elements after it.</summary>
    public ReadOnlySpan<int> After => after;

    /// <summary>What they are.</summary>
    public PadMode Mode => mode;

    /// <summary>The number for <see cref="PadMode.Constant"/>.</summary>
    public double ConstantValue => constantValue;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        var rank = input.Shape.Rank;
        if (before.Length != rank || after.Length != rank)
        {
            throw new ArgumentException(
                $"The input {input.Shape} has {rank} dimensions but {before.Length} pads before and {after.Length} after were given.");
        }

        var lengths = new int[rank];
        for (var d = 0; d < rank; d++)
        {
            var kept = Kept(input.Shape[d], d);
            if (kept < 0)
            {
                throw new ArgumentException(
                    $"Pads {before[d]} and {after[d]} take more than the {input.Shape[d]} elements that dimension {d} has.");
            }

            if (kept == 0 && mode != PadMode.Constant && (before[d] > 0 || after[d] > 0))
                throw new ArgumentException($"Dimension {d} of the input {input.Shape} has nothing to repeat; pad it with a constant.");
            lengths[d] = checked((int)(kept + Math.Max(0, before[d]) + Math.Max(0, after[d])));
        }

        return [ShapeRules.Moved(input, new TensorShape(lengths))];
    }

    /// <summary>
    /// Around a constant, dx is dy without what was added, and 0 where something was taken away. Else each element has the sum of what all
    /// places have that repeat it, dimension by dimension (float32).
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (x, dy) = (context.Input(0), context.Output(0)!);
        if (mode == PadMode.Constant)
        {
            var (front, back) = (Array.ConvertAll(before, n => -n), Array.ConvertAll(after, n => -n));
            return [context.Add("input", new PadOperator(front, back, PadMode.Constant, 0), dy)];
        }

        if (x.Type.Element != ElementType.Float32)
            return null;
        for (var d = 0; d < before.Length; d++)
        {
            if ((before[d], after[d]) != (0, 0))
            {
                var taps = AxisTaps.OfCopy(Indexes(d, x.Shape[d], context.Node.Outputs[0].Shape[d]), x.Shape[d]);
                dy = context.Add("input", new AxisSumsOperator(d, taps), dy);
            }
        }

        return [dy];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var input = inputs[0];
        var output = Infer(inputs)[0].Shape;
        if (output.ElementCount == 0)
            return new IndexedCopyStep(null);
        var indexes = new int[output.Rank][];
        for (var d = 0; d < indexes.Length; d++)
            indexes[d] = Indexes(d, input.Shape[d], output[d]);
        return new IndexedCopyStep(new(input.Shape, indexes, input.Element.Size(), Bits(input.Element)));
    }

    // For each index of a dimension of the output, the input's or none.
    private int[] Indexes(int dimension, int input, int output)
    {
        var kept = (int)Kept(input, dimension);
        var skipped = Math.Max(0, -before[dimension]);
        var indexes = new int[output];
        for (var i = 0; i < indexes.Length; i++)
        {
            var index = Source(i - Math.Max(0, before[dimension]), kept);
            indexes[i] = index < 0 ? IndexedCopy.Nothing : skipped + index;
        }

        return indexes;
    }

    // In 64 bits: what two pads leave is below 0 where they take more than there is.
    private long Kept(int length, int dimension) => (long)length + Math.Min(0, before[dimension]) + Math.Min(0, after[dimension]);

    private int Source(int index, int length)
    {
        if (index >= 0 && index < length)
            return index;
        switch (mode)
        {
            case PadMode.Constant:
                return -1;
            case PadMode.Edge:
                return index < 0 ? 0 : length - 1;
            case PadMode.Wrap:
                return ((index % length) + length) % length;
            default:
                if (length == 1)
                    return 0;
                var period = 2L * (length - 1);
                var at = ((index % period) + period) % period;
                return (int)Math.Min(at, period - at);
        }
    }

    private ulong Bits(ElementType element)
    {
        if (element == ElementType.Bool)
            return constantValue != 0 ? 1u : 0;
        var work = new BitsWork { Value = constantValue };
        ElementDispatch.Numbers(element, ref work);
        return work.Bits;
    }

    private struct BitsWork : INumberWork
    {
        public double Value;
        public ulong Bits;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Unsafe.As<ulong, T>(ref Bits) = T.CreateSaturating(Value);
    }
}
