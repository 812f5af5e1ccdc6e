using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A function of single quantized elements: x of bytes -> the same shape, of <paramref name="element"/> with the quantization
/// <paramref name="output"/>. It has 256 arguments only, and is looked up in a table.
/// </summary>
internal abstract unsafe class ByteTableOperator(ElementType element, Quantization output) : QuantizedOperator
{
    public ElementType Element { get; } = element;

    public Quantization Output { get; } = output;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = QuantizedTypes.Required(inputs, 0, "input");
        if (!Element.IsByte())
            throw new ArgumentException($"The output is to be {Element.ToString().ToLowerInvariant()}; expected int8 or uint8.");
        QuantizedTypes.CheckPerTensor(Output, Element, "output");
        _ = Function(input.Quantization!);
        return [new(Element, input.Shape, Output)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    /// <summary>The function from an input element to an output element; what is out of the element's range is clamped to it.</summary>
    /// <exception cref="ArgumentException">The quantizations do not fit.</exception>
    private protected abstract Func<int, int> Function(Quantization input);

    private protected sealed override Step Prepare(TensorType[] inputs, TensorType output)
    {
        var (least, most) = QuantizedTypes.Range(Element);
        var function = Function(inputs[0].Quantization!);
        var table = new byte[ByteLookup.Entries];
        for (var raw = 0; raw < table.Length; raw++)
            table[raw] = (byte)Math.Clamp(function(QuantizedTypes.Value((byte)raw, inputs[0].Element)), least, most);
        return new TableStep(table);
    }

    private sealed class TableStep(byte[] table) : Step
    {
        public override void Run(ForwardContext context)
        {
            var work = new TableWork { Table = table, X = (byte*)context.Inputs[0].Memory, Y = (byte*)context.Outputs[0].Memory };
            ElementParts.Run(work, context.Inputs[0].Shape.ElementCount, 1, context.Threads);
        }
    }

    private struct TableWork : IRangeWork
    {
        public byte[] Table;
        public byte* X;
        public byte* Y;

        public readonly void Run(nint start, nint end) => ByteLookup.Run(Table, X + start, Y + start, end - start);
    }
}

/// <summary>
/// A function of single bytes that is given as its table of 256 bytes: x of int8 or uint8 with one scale -> the same shape, of
/// <paramref name="element"/> with the quantization <paramref name="output"/>.
/// </summary>
/// <param name="element">The output's elements.</param>
/// <param name="output">The output's quantization.</param>
/// <param name="map">The output byte for the byte 0, 1 and so on as it lies in memory.</param>
internal sealed class ByteMapOperator(ElementType element, Quantization output, byte[] map) : ByteTableOperator(element, output)
{
    public override string Kind => "ByteMap";

    private protected override Func<int, int> Function(Quantization input) => q => QuantizedTypes.Value(map[(byte)q], Element);
}
