namespace SeparableConv.Networks;

/// <summary>What a run computes at one go: a node of the network, or several that were joined.</summary>
/// <param name="Name">The name of the node, of the first where several were joined.</param>
/// <param name="Kind">What it is called: <c>Conv2D</c>, <c>DepthwiseConv2D</c>.</param>
/// <param name="Cost">What running it costs.</param>
/// <param name="Output">The type of its first output.</param>
public sealed record CompiledStep(string Name, string Kind, OperatorCost Cost, TensorType Output);
