namespace SeparableConv.Networks.Operators;

/// <summary>
/// An operator on quantized bytes whose step follows from the types of its inputs and its output alone.
/// </summary>
/// <remarks>
/// The name of every operator in this folder says whose arithmetic it computes, to the last bit.
/// <list type="bullet">
/// <item><c>TFLite...</c>: TensorFlow Lite's reference kernels. Factors are 31-bit multipliers with a shift, or tables; halves are
/// rounded away from zero.</item>
/// <item><c>QLinear...</c>, <c>...Linear</c>: the operators of ONNX and ONNX Runtime. Single precision, rounded once, halves to
/// even.</item>
/// <item><c>Dequantized...</c>: what dequantizing, computing in floats and quantizing gives.</item>
/// <item><c>Integer...</c>: exact sums in 32 bits, nothing rounded.</item>
/// <item><c>Quantized...</c>: either of the two, as a parameter says (<see cref="QuantizedLayerOperator.Rounding"/>), and what both
/// share.</item>
/// <item><c>Byte...</c>: a table of 256 bytes that somebody else computed; no arithmetic.</item>
/// </list>
/// </remarks>
internal abstract unsafe class QuantizedOperator : Operator
{
    internal sealed override Step Prepare(Node node)
    {
        // What may be left out, a bias, comes last.
        TensorType[] inputs = [.. node.Inputs.TakeWhile(input => input is not null).Select(input => input!.Type)];
        return Prepare(inputs, node.Outputs[0].Type);
    }

    internal sealed override void Forward(ForwardContext context)
    {
        var step = Prepare(Array.ConvertAll(context.Inputs, input => input.Type), context.Outputs[0].Type);
        fixed (byte* scratch = new byte[step.ScratchBytes])
            step.Run(new ForwardContext(context.Inputs, context.Outputs, context.Threads, scratch));
    }

    /// <summary>The tables and sizes for given types.</summary>
    private protected abstract Step Prepare(TensorType[] inputs, TensorType output);
}
