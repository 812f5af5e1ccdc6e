using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Inference;

/// <summary>A step and where it finds its tensors: what sessions share.</summary>
internal readonly record struct PreparedStep(Step Step, TensorPlace[] Inputs, TensorPlace[] Outputs);
