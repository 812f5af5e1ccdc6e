namespace SeparableConv.Networks.Operators;

/// <summary>
/// The memory and the threads of one step. A session creates it once and every run uses it again: its pointers stay valid as long as the
/// session.
/// </summary>
internal sealed unsafe class ForwardContext(TensorBuffer[] inputs, TensorBuffer[] outputs, int threads, void* scratch = null)
{
    /// <summary>The inputs, in the operator's order; one that is not there has no memory.</summary>
    public TensorBuffer[] Inputs { get; } = inputs;

    /// <summary>An input that may be left out, as a bias may be: no memory and no elements then.</summary>
    public TensorBuffer Optional(int input) => input < Inputs.Length ? Inputs[input] : default;

    /// <summary>The outputs.</summary>
    public TensorBuffer[] Outputs { get; } = outputs;

    /// <summary>Threads to use at most. A step learns of them here and nowhere else, and its result does not depend on them.</summary>
    public int Threads { get; } = threads;

    /// <summary>
    /// The outputs of an operator whose shapes are known only when it has run (<see cref="TensorType.HasOpenShape"/>): it makes them anew
    /// in every run, and leaves them here. Null for all other operators.
    /// </summary>
    public TensorData[]? Results { get; set; }

    /// <summary>As many bytes as <see cref="Step.ScratchBytes"/> asked for, aligned to 64; what is in them is undefined.</summary>
    public void* Scratch { get; } = scratch;
}
