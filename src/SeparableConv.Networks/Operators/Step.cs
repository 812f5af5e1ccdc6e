namespace SeparableConv.Networks.Operators;

/// <summary>An operator made ready for one node of a compiled network.</summary>
internal abstract class Step
{
    /// <summary>Bytes of working memory that a run needs beside its outputs.</summary>
    public virtual long ScratchBytes => 0;

    /// <summary>Whether a run reads this input. One that was packed is not read again: a compiled network does not keep it.</summary>
    public virtual bool Reads(int input) => true;

    /// <summary>Computes the outputs; allocates nothing.</summary>
    public abstract void Run(ForwardContext context);
}

/// <summary>A step with nothing to make ready.</summary>
internal sealed class ForwardStep(Operator op) : Step
{
    public override void Run(ForwardContext context) => op.Forward(context);
}
