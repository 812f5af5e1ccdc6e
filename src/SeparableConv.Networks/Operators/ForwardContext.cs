namespace SeparableConv.Networks.Operators;

/// <summary>What a step works on: made once a session, as memory never moves, and then reused by every run.</summary>
internal sealed unsafe class ForwardContext(TensorBuffer[] inputs, TensorBuffer[] outputs, int threads, void* scratch = null)
{
    /// <summary>The inputs, in the operator's order; one that is not there has no memory.</summary>
    public TensorBuffer[] Inputs { get; } = inputs;

    /// <summary>The outputs.</summary>
    public TensorBuffer[] Outputs { get; } = outputs;

    /// <summary>Threads to use at most.</summary>
    public int Threads { get; } = threads;

    /// <summary>As many bytes as <see cref="Step.ScratchBytes"/> asked for, aligned to 64; what is in them is undefined.</summary>
    public void* Scratch { get; } = scratch;

    /// <summary>Whether to keep what a backward pass needs and the outputs do not tell: positions of maxima, batch statistics.</summary>
    public bool KeepsForBackward { get; init; }

    /// <summary>What was kept.</summary>
    public object? Kept { get; set; }
}
