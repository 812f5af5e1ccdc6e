using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// What all gradients are multiplied by so that their norm together is no larger than a limit: any number of float32 tensors -> factor (1),
/// norm (1); norm = sqrt of the sum of all squares, factor = min(1, limit / (norm + 1e-6)), as in PyTorch's clip_grad_norm_.
/// </summary>
internal sealed unsafe class ClipFactorOperator(float limit) : Operator
{
    // Summed in single precision over so many numbers at a time, in double precision over these.
    private const int BlockFloats = 4096;

    public override string Kind => "ClipFactor";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        foreach (var input in inputs)
            OperatorChecks.Takes(input?.Element == ElementType.Float32, input!, "float32");
        var one = new TensorType(ElementType.Float32, new TensorShape(1));
        return [one, one];
    }

    internal override void Forward(ForwardContext context)
    {
        var total = 0.0;
        foreach (var input in context.Inputs)
        {
            var numbers = input.Span<float>();
            for (var at = 0; at < numbers.Length; at += BlockFloats)
                total += TensorPrimitives.SumOfSquares<float>(numbers.Slice(at, Math.Min(BlockFloats, numbers.Length - at)));
        }

        var norm = Math.Sqrt(total);
        context.Outputs[0].Span<float>()[0] = (float)Math.Min(1, limit / (norm + 1e-6));
        context.Outputs[1].Span<float>()[0] = (float)norm;
    }
}
