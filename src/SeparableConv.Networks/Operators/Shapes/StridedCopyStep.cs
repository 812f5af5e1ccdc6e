namespace SeparableConv.Networks.Operators;

/// <summary>A step that copies from inputs to outputs.</summary>
internal sealed unsafe class StridedCopyStep(params (StridedCopy Copy, int Input, int Output)[] copies) : Step
{
    public override void Run(ForwardContext context)
    {
        foreach (var (copy, input, output) in copies)
            copy.Run(context.Inputs[input].Memory, context.Outputs[output].Memory, context.Threads);
    }
}
