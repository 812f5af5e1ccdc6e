namespace SeparableConv.Networks.Graph;

/// <summary>A tensor as a file stores it, of which a network has the numbers in another order, shape or type.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Shape">Its shape there.</param>
/// <param name="Turns">The operators that made the network's tensor of it, the first one first.</param>
internal sealed record StoredForm(string Name, TensorShape Shape, IReadOnlyList<Operator> Turns)
{
    /// <summary>Whether the network has its dimensions in another order.</summary>
    public bool IsTransposed => Turns.Any(turn => turn is TransposeOperator);

    /// <summary>Numbers in the file's order and shape, in the network's; their type stays what it is.</summary>
    public TensorData ToNetwork(TensorData stored)
    {
        foreach (var turn in Turns)
        {
            stored = turn switch
            {
                TransposeOperator transpose => Transposed(stored, transpose.Permutation.ToArray()),
                ReshapeOperator reshape => Reshaped(stored, reshape.Shape),
                _ => stored,
            };
        }

        return stored;
    }

    /// <summary>Numbers in the network's order and shape, in the file's; their type stays what it is.</summary>
    public TensorData ToFile(TensorData data)
    {
        var shapes = new TensorShape[Turns.Count];
        var shape = Shape;
        for (var i = 0; i < shapes.Length; i++)
        {
            shapes[i] = shape;
            shape = Turns[i] switch
            {
                TransposeOperator transpose => new TensorShape([.. transpose.Permutation.ToArray().Select(axis => shapes[i][axis])]),
                ReshapeOperator reshape => reshape.Shape,
                _ => shape,
            };
        }

        for (var i = shapes.Length - 1; i >= 0; i--)
        {
            data = Turns[i] switch
            {
                TransposeOperator transpose => Transposed(data, Inverse(transpose.Permutation)),
                ReshapeOperator => Reshaped(data, shapes[i]),
                _ => data,
            };
        }

        return data;
    }

    private static int[] Inverse(ReadOnlySpan<int> permutation)
    {
        var inverse = new int[permutation.Length];
        for (var i = 0; i < inverse.Length; i++)
            inverse[permutation[i]] = i;
        return inverse;
    }

    private static TensorData Transposed(TensorData data, int[] permutation) =>
        Evaluator.Run(new TransposeOperator(permutation), new TensorData(new(data.Type.Element, data.Type.Shape), data.Values))[0];

    private static TensorData Reshaped(TensorData data, TensorShape shape) => new(new(data.Type.Element, shape), data.Values);
}
