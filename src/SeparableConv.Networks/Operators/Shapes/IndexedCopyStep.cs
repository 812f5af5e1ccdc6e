namespace SeparableConv.Networks.Operators;

/// <summary>A step that fills its output from its first input by tables, or does nothing where the output is empty.</summary>
internal sealed unsafe class IndexedCopyStep(IndexedCopy? copy) : Step
{
    public override void Run(ForwardContext context) =>
        copy?.Run(context.Inputs[0].Memory, context.Outputs[0].Memory, context.Threads);
}
