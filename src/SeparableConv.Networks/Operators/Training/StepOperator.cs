using System.Runtime.InteropServices;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// An operator of a training that needs memory of its own to run: for packed weights, which change from run to run, and for partial sums. A
/// run without preparation makes the step, runs it once and lets it go.
/// </summary>
internal abstract unsafe class StepOperator : Operator
{
    internal sealed override Step Prepare(Node node) => CreateStep([.. node.Inputs.Select(input => input?.Type)]);

    internal sealed override void Forward(ForwardContext context) => PackedBuffer.FreeMadeBy(() =>
    {
        var step = CreateStep(Array.ConvertAll(context.Inputs, input => input.IsPresent ? input.Type : null));
        var scratch = NativeMemory.AlignedAlloc((nuint)Math.Max(1, step.ScratchBytes), 64);
        try
        {
            step.Run(new(context.Inputs, context.Outputs, context.Threads, scratch));
        }
        finally
        {
            NativeMemory.AlignedFree(scratch);
        }
    });

    /// <summary>Makes the step for inputs of these types; it reads all of them in each run.</summary>
    private protected abstract Step CreateStep(TensorType?[] inputs);
}
