namespace SeparableConv.Networks.Rewriting;

/// <summary>Computes once what depends on nothing but constants.</summary>
internal sealed class ConstantFolding : NetworkPass
{
    // What is computed must not be out of proportion to what it is computed from: a file of a few bytes may ask for a tile of many.
    private const long SmallBytes = 16 << 20;
    private const int MostGrowth = 8;

    protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
    {
        // What has no shape before a run cannot be a constant.
        if (node.Outputs.Any(output => output.Type.HasOpenShape))
            return null;
        long read = 0;
        foreach (var input in inputs)
        {
            if (input is { IsConstant: false })
                return null;
            read += input?.Type.Bytes ?? 0;
        }

        long written = 0;
        foreach (var output in node.Outputs)
        {
            written += output.Type.Bytes;
            if (written > Math.Max(SmallBytes, MostGrowth * read))
                return null;
        }

        try
        {
            var results = Evaluator.Run(node.Operator, Array.ConvertAll(inputs, input => input?.Constant));
            return Array.ConvertAll(results, result => Constant(node.Name, result));
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or InvalidOperationException or NetworkException)
        {
            throw new NetworkException($"In node '{node.Name}' ({node.Operator.Kind}): {e.Message}", e);
        }
    }
}
