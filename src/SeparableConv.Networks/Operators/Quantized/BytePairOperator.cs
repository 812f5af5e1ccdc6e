namespace SeparableConv.Networks.Operators;

/// <summary>
/// A function of two quantized bytes, with NumPy's broadcasting: a and b of one byte type, each with one scale -> bytes or bools. It has
/// 65,536 pairs of arguments only, and is looked up in a table.
/// </summary>
internal abstract unsafe class BytePairOperator : QuantizedOperator
{
    internal sealed override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = QuantizedTypes.RequiredPair(inputs, "first operand", "second operand");
        _ = Function(a, b);
        return [Output(a.Element, TensorShapes.Broadcast(a.Shape, b.Shape))];
    }

    internal sealed override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    /// <summary>The type of the output.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    private protected abstract TensorType Output(ElementType element, TensorShape shape);

    /// <summary>The function from two elements to a number that the output's element can hold.</summary>
    /// <exception cref="ArgumentException">The quantizations do not fit.</exception>
    private protected abstract Func<int, int, int> Function(TensorType a, TensorType b);

    private protected sealed override Step Prepare(TensorType[] inputs, TensorType output)
    {
        var function = Function(inputs[0], inputs[1]);
        var table = new byte[256 * 256];
        for (var a = 0; a < 256; a++)
        {
            for (var b = 0; b < 256; b++)
            {
                var (x, y) = (QuantizedTypes.Value((byte)a, inputs[0].Element), QuantizedTypes.Value((byte)b, inputs[1].Element));
                table[(a * 256) + b] = (byte)function(x, y);
            }
        }

        return new ByteBinaryStep<TableRun>(new BroadcastRows(inputs[0].Shape, inputs[1].Shape), new TableRun(table));
    }

    private readonly struct TableRun(byte[] table) : IByteRun
    {
        public void Run(byte* a, int stepA, byte* b, int stepB, byte* y, nint count)
        {
            for (nint i = 0; i < count; i++, a += stepA, b += stepB)
                y[i] = table[(*a << 8) | *b];
        }
    }
}
