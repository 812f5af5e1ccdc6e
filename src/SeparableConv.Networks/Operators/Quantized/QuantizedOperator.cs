namespace SeparableConv.Networks.Operators;

/// <summary>
/// What the operators on quantized bytes share: their step follows from the types of inputs and output alone. They compute what
/// TensorFlow Lite's reference kernels compute, bit for bit.
/// </summary>
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
