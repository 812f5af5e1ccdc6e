using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Dimension d of the output is dimension permutation[d] of the input: y[i_0, i_1, ...] = x[...] with i_d at permutation[d].
/// </summary>
internal sealed class TransposeOperator(int[] permutation) : ShapeOperator
{
    public override string Kind => "Transpose";

    /// <summary>For each dimension of the output, the input's.</summary>
    public ReadOnlySpan<int> Permutation => permutation;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        var rank = input.Shape.Rank;
        var lengths = new int[rank];
        var seen = new bool[rank];
        if (permutation.Length != rank)
        {
            throw new ArgumentException(
                $"The input {input.Shape} has {rank} dimensions but the permutation ({string.Join(',', permutation)}) has "
                + $"{permutation.Length}.");
        }

        for (var d = 0; d < rank; d++)
        {
            if (permutation[d] < 0 || permutation[d] >= rank || seen[permutation[d]])
                throw new ArgumentException($"({string.Join(',', permutation)}) is no permutation; each of 0 to {rank - 1} is there once.");
            seen[permutation[d]] = true;
            lengths[d] = input.Shape[permutation[d]];
        }

        var quantization = input.Quantization is { IsPerTensor: false } scales
            ? new Quantization(scales.Scales, scales.ZeroPoints, Array.IndexOf(permutation, scales.Axis))
            : input.Quantization;
        return [new(input.Element, new TensorShape(lengths), quantization)];
    }

    internal override Value?[]? Gradient(GradientContext context)
    {
        var inverse = new int[permutation.Length];
        for (var d = 0; d < inverse.Length; d++)
            inverse[permutation[d]] = d;
        return [context.Add("input", new TransposeOperator(inverse), context.Output(0))];
    }

    private protected override Step Plan(TensorType[] inputs)
    {
        var shape = inputs[0].Shape;
        var output = new TensorShape(Array.ConvertAll(permutation, d => shape[d]));
        var strides = ShapeRules.Strides(shape);
        var copy = new StridedCopy(
            output.Lengths, Array.ConvertAll(permutation, d => strides[d]), ShapeRules.Strides(output), inputs[0].Element.Size());
        return new StridedCopyStep((copy, 0, 0));
    }
}
