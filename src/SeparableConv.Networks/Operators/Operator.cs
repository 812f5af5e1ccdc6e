using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks;

/// <summary>
/// What a node does: from the types of its inputs to those of its outputs, what that costs, how it is computed, and what its gradient
/// is. An operator holds attributes, such as strides and axes, and never changes; tensors are inputs of the node.
/// </summary>
/// <remarks>
/// Weights are inputs: parameters, or constants where a network is only run. Tensors are dense and row-major; images are (N, height, width,
/// channels).
/// </remarks>
public abstract class Operator
{
    private protected Operator()
    {
    }

    /// <summary>What it is called, in Keras's words where Keras has one: <c>Conv2D</c>, <c>Add</c>, <c>Reshape</c>.</summary>
    public abstract string Kind { get; }

    /// <summary>How its output may lie where its first input lies.</summary>
    internal virtual Aliasing Aliasing => Aliasing.None;

    /// <summary>The types of the outputs; null stands for an optional input that is not there.</summary>
    /// <exception cref="ArgumentException">The inputs do not fit.</exception>
    internal abstract TensorType[] Infer(ReadOnlySpan<TensorType?> inputs);

    /// <summary>What one run costs.</summary>
    internal virtual OperatorCost Cost(Node node) => default;

    /// <summary>A node's sizes, where this is a convolution of channels-last images (not a transposed one); else null.</summary>
    internal virtual ConvGeometry? Geometry(Node node) => null;

    /// <summary>What a stored tensor is for the network when a node of this operator reads it at this input.</summary>
    internal virtual InputRole RoleOf(int input, TensorType type) => InputRole.Data;

    /// <summary>Makes ready what does not change from run to run: packs constant weights, chooses a loop.</summary>
    internal virtual Step Prepare(Node node) => new ForwardStep(this);

    /// <summary>
    /// Whether a run may end with an exception because of the numbers that a node is given, such as an index that is not there. It must
    /// not be run where its result is not asked for.
    /// </summary>
    internal virtual bool MayRefuse(Node node) => false;

    /// <summary>Computes the outputs from nothing but the inputs: what a run without preparation does.</summary>
    internal abstract void Forward(ForwardContext context);

    /// <summary>
    /// Adds nodes that compute the gradients of a node's inputs from those of its outputs. Null where this operator has no gradient; a
    /// training names it before it begins.
    /// </summary>
    /// <returns>
    /// A gradient for each input, of the input's type; null where none is wanted or the output does not depend on the input.
    /// </returns>
    internal virtual Value?[]? Gradient(GradientContext context) => null;
}

/// <summary>What running an operator once costs.</summary>
/// <param name="Macs">Multiply-accumulates of convolutions and matrix products; taps that fall on padding count, as is usual.</param>
/// <param name="Additional">Further arithmetic, an operation an element: additions, comparisons, activations.</param>
public readonly record struct OperatorCost(long Macs, long Additional = 0);
