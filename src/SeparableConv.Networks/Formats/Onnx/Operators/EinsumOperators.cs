namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Einsum: products of any tensors, summed over the dimensions that the result has not.</summary>
internal static class EinsumOperators
{
    /// <summary>
    /// Operands are multiplied two by two, in their order, as matrices: what both have and the result keeps is the batch, what both have
    /// and nobody needs afterwards is summed.
    /// </summary>
    public static void ReadEinsum(OnnxGraph graph, OnnxNode node)
    {
        var inputs = graph.Inputs(node);
        var equation = new EinsumEquation(node, Array.ConvertAll(inputs, input => input.Shape));
        var work = new EinsumWork(graph, node, equation);
        var product = work.Prepared(graph.Original(inputs[0]), 0);
        for (var i = 1; i < inputs.Length; i++)
            product = work.Multiply(product, work.Prepared(graph.Original(inputs[i]), i), i);
        graph.Output(node, 0, work.Finished(product));
    }
}

/// <summary>
/// The labels of an equation, such as <c>bij,bjk->bik</c>. The dimensions that an ellipsis stands for have labels too, counted from the
/// back, so that they broadcast.
/// </summary>
internal sealed class EinsumEquation
{
    // Behind all letters.
    private const char Broadcast = '\u1000';

    private readonly Dictionary<char, int> _lengths = [];

    /// <exception cref="NetworkException">The equation is no equation of these operands.</exception>
    public EinsumEquation(OnnxNode node, TensorShape[] shapes)
    {
        var text = new string([.. node.Text("equation", "").Where(c => c != ' ')]);
        var sides = text.Split("->");
        var operands = sides[0].Split(',');
        if (sides.Length > 2 || operands.Length != shapes.Length)
            throw node.Error($"the equation '{OneLine.Of(text)}' has {operands.Length} operands; the node has {shapes.Length} inputs");
        Operands = [.. operands.Select((operand, i) => Labels(node, operand, shapes[i].Rank))];
        for (var i = 0; i < shapes.Length; i++)
        {
            for (var d = 0; d < shapes[i].Rank; d++)
                Note(node, Operands[i][d], shapes[i][d]);
        }

        var all = string.Concat(Operands);
        var ellipsis = new string([.. all.Where(label => label >= Broadcast).Distinct().OrderDescending()]);
        Result = sides.Length == 1
            ? ellipsis + new string([.. all.Where(label => label < Broadcast && all.Count(c => c == label) == 1).Order()])
            : sides[1].Replace("...", ellipsis, StringComparison.Ordinal);
        if (Result.Distinct().Count() != Result.Length || Result.Any(label => !_lengths.ContainsKey(label)))
            throw node.Error($"the result of the equation '{OneLine.Of(text)}' names a dimension twice, or one that no operand has");
    }

    /// <summary>A label for each dimension of each operand.</summary>
    public string[] Operands { get; }

    /// <summary>A label for each dimension of the result.</summary>
    public string Result { get; }

    public int Length(char label) => _lengths[label];

    private static string Labels(OnnxNode node, string operand, int rank)
    {
        var at = operand.IndexOf("...", StringComparison.Ordinal);
        var letters = at < 0 ? operand : operand.Remove(at, 3);
        var broadcast = at < 0 ? 0 : rank - letters.Length;
        if (letters.Length + Math.Max(0, broadcast) != rank || broadcast < 0 || !letters.All(char.IsAsciiLetter))
            throw node.Error($"the operand '{OneLine.Of(operand)}' of the equation does not fit a tensor of {rank} dimensions");
        var ellipsis = string.Concat(Enumerable.Range(0, broadcast).Select(i => (char)(Broadcast + broadcast - 1 - i)));
        return at < 0 ? letters : letters.Insert(at, ellipsis);
    }

    private void Note(OnnxNode node, char label, int length)
    {
        var known = _lengths.GetValueOrDefault(label, 1);
        if (known != 1 && length != 1 && known != length)
            throw node.Error($"a dimension of the equation is {known} in one operand and {length} in another");
        _lengths[label] = known == 1 ? length : known;
    }
}

/// <summary>A tensor and a label for each of its dimensions.</summary>
internal readonly record struct EinsumOperand(Value Value, string Labels);

/// <summary>The steps by which an equation is computed. Dimensions of 1 are left out until the end: they broadcast.</summary>
internal readonly struct EinsumWork(OnnxGraph graph, OnnxNode node, EinsumEquation equation)
{
    private readonly Formula _formula = new(graph, node);

    /// <summary>An input without dimensions of 1, without repeated labels, and summed over those that it alone has.</summary>
    public EinsumOperand Prepared(Value input, int index)
    {
        var shape = input.Shape;
        var labels = equation.Operands[index];
        int[] longer = [.. Enumerable.Range(0, shape.Rank).Where(d => shape[d] != 1)];
        var value = _formula.Reshape($"operand{index}", input, [.. longer.Select(d => shape[d])]);
        var operand = new EinsumOperand(value, string.Concat(longer.Select(d => labels[d])));
        for (var i = 0; i < operand.Labels.Length; i++)
        {
            if (operand.Labels.IndexOf(operand.Labels[i], i + 1) is var second and > 0)
                operand = Diagonal(operand, i--, second, index);
        }

        var others = equation.Result + string.Concat(equation.Operands.Where((_, i) => i != index));
        return Summed(operand, others, $"own{index}");
    }

    /// <summary>The product of what was computed so far with the next operand.</summary>
    public EinsumOperand Multiply(EinsumOperand a, EinsumOperand b, int index)
    {
        var needed = equation.Result + string.Concat(equation.Operands.Skip(index + 1));
        var both = a.Labels.Where(b.Labels.Contains).ToArray();
        var batch = string.Concat(both.Where(needed.Contains));
        var summed = string.Concat(both.Where(label => !needed.Contains(label)));
        var rows = string.Concat(a.Labels.Except(both));
        var columns = string.Concat(b.Labels.Except(both));
        var (left, right) = (Ordered(a, batch + rows + summed, $"left{index}"), Ordered(b, batch + summed + columns, $"right{index}"));
        var labels = batch + rows + columns;
        Value product;
        if (summed.Length == 0)
        {
            // Element by element; what the left one has not is repeated.
            left = _formula.Reshape($"left{index}_wide", left, [.. Lengths(batch + rows), .. columns.Select(_ => 1)]);
            right = _formula.Reshape($"right{index}_wide", right, [.. Lengths(batch), .. rows.Select(_ => 1), .. Lengths(columns)]);
            product = _formula.Binary($"product{index}", BinaryKind.Mul, left, right);
        }
        else
        {
            int[] outer = batch.Length == 0 ? [] : [Product(batch)];
            left = _formula.Reshape($"left{index}_matrix", left, [.. outer, Product(rows), Product(summed)]);
            right = _formula.Reshape($"right{index}_matrix", right, [.. outer, Product(summed), Product(columns)]);
            product = graph.Emit($"{node.Name}/product{index}", new MatMulOperator(), left, right);
        }

        return Summed(new(_formula.Reshape($"product{index}_shape", product, Lengths(labels)), labels), needed, $"rest{index}");
    }

    /// <summary>The result, its dimensions in their order, those of length 1 put in again.</summary>
    public Value Finished(EinsumOperand product)
    {
        var longer = string.Concat(equation.Result.Where(product.Labels.Contains));
        return _formula.Reshape("result", Ordered(product, longer, "ordered"), Lengths(equation.Result));
    }

    // Two dimensions with one label, n by n, are n*n numbers, of which the diagonal is each (n+1)-th.
    private EinsumOperand Diagonal(EinsumOperand operand, int first, int second, int index)
    {
        var label = operand.Labels[first];
        var n = operand.Value.Shape[first];
        int[] others = [.. Enumerable.Range(0, operand.Labels.Length).Where(d => d != first && d != second)];
        var matrices = graph.Transpose($"{node.Name}/matrices{index}", operand.Value, [.. others, first, second]);
        var shape = operand.Value.Shape;
        int[] lengths = [.. others.Select(d => shape[d])];
        var flat = _formula.Reshape($"flat{index}", matrices, [.. lengths, checked(n * n)]);
        var slice = new SliceOperator([.. others.Select(_ => 0), 0], [.. others.Select(_ => 1), n + 1], [.. lengths, n]);
        var labels = operand.Labels;
        return new(graph.Emit($"{node.Name}/diagonal{index}", slice, flat), string.Concat(others.Select(d => labels[d])) + label);
    }

    // Without the dimensions that nobody needs.
    private EinsumOperand Summed(EinsumOperand operand, string needed, string part)
    {
        var labels = operand.Labels;
        int[] axes = [.. Enumerable.Range(0, labels.Length).Where(d => !needed.Contains(labels[d]))];
        return axes.Length == 0 ? operand : new(
            graph.Emit($"{node.Name}/{part}", new ReduceOperator(ReduceKind.Sum, axes, keepDimensions: false), operand.Value),
            string.Concat(labels.Where(needed.Contains)));
    }

    private Value Ordered(EinsumOperand operand, string labels, string part)
    {
        var own = operand.Labels;
        return own == labels
            ? operand.Value
            : graph.Transpose($"{node.Name}/{part}", operand.Value, [.. labels.Select(label => own.IndexOf(label))]);
    }

    private int[] Lengths(string labels)
    {
        var all = equation;
        return [.. labels.Select(label => all.Length(label))];
    }

    private int Product(string labels)
    {
        var product = 1;
        foreach (var label in labels)
            product = checked(product * equation.Length(label));
        return product;
    }
}
