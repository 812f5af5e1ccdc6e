using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Tensors of quantized bytes one after another along an axis, each brought to the output's scale: in single precision, rounded half
/// away from zero, as TensorFlow Lite does it for uint8.
/// </summary>
internal sealed unsafe class TFLiteConcatOperator(int axis, Quantization output) : QuantizedOperator
{
    public override string Kind => "QuantizedConcat";

    public int Axis => axis;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var first = QuantizedTypes.Required(inputs, 0, "input 0");
        QuantizedTypes.CheckPerTensor(output, first.Element, "output");
        if (axis < 0 || axis >= first.Shape.Rank)
            throw new ArgumentException($"Axis {axis} is not one of the input {first.Shape}.");
        var lengths = first.Shape.Lengths.ToArray();
        for (var i = 1; i < inputs.Length; i++)
        {
            var next = QuantizedTypes.Required(inputs, i, $"input {i}");
            var fits = next.Element == first.Element && next.Shape.Rank == lengths.Length;
            for (var d = 0; fits && d < lengths.Length; d++)
                fits = d == axis || next.Shape[d] == lengths[d];
            if (!fits)
            {
                throw new ArgumentException(
                    $"Input {i} is {next} and input 0 {first}; "
                    + $"they must have the same elements, and the same lengths but along axis {axis}.");
            }

            lengths[axis] = checked(lengths[axis] + next.Shape[axis]);
        }

        return [new(first.Element, new TensorShape(lengths), output)];
    }

    private protected override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (outer, tables) = (1, new byte[]?[inputs.Length]);
        for (var d = 0; d < axis; d++)
            outer *= inputs[0].Shape[d];
        for (var i = 0; i < inputs.Length; i++)
            tables[i] = Table(inputs[i]);
        return new ConcatStep(outer, tables);
    }

    // Null where the bytes stay as they are.
    private byte[]? Table(TensorType type)
    {
        var input = type.Quantization!;
        if (input.Scale == output.Scale && input.ZeroPoint == output.ZeroPoint)
            return null;
        var scale = input.Scale * (1 / output.Scale);
        var bias = -input.ZeroPoint * scale;
        var (least, most) = QuantizedTypes.Range(type.Element);
        var table = new byte[256];
        for (var raw = 0; raw < 256; raw++)
        {
            var rounded = MathF.Round((QuantizedTypes.Value((byte)raw, type.Element) * scale) + bias, MidpointRounding.AwayFromZero);
            table[raw] = (byte)(int)Math.Clamp((double)rounded + output.ZeroPoint, least, most);
        }

        return table;
    }

    private sealed class ConcatStep(int outer, byte[]?[] tables) : Step
    {
        public override void Run(ForwardContext context)
        {
            var y = (byte*)context.Outputs[0].Memory;
            for (nint part = 0; part < outer; part++)
            {
                for (var i = 0; i < tables.Length; i++)
                {
                    var length = (nint)context.Inputs[i].Shape.ElementCount / outer;
                    var x = (byte*)context.Inputs[i].Memory + (part * length);
                    if (tables[i] is { } table)
                        ByteLookup.Run(table, x, y, length);
                    else
                        Buffer.MemoryCopy(x, y, length, length);
                    y += length;
                }
            }
        }
    }
}
