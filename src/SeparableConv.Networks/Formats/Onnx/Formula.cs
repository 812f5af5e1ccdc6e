namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Puts an operator of ONNX together from several nodes. Each is called after the operator's node and its part in the formula; the one
/// without a part is the node itself.
/// </summary>
internal readonly struct Formula(OnnxGraph graph, OnnxNode node)
{
    /// <summary>A number of an element type, which broadcasts to any shape.</summary>
    public Value Number(string part, double number, ElementType element = ElementType.Float32) =>
        graph.Constant(Name(part), Evaluator.Run(new CastOperator(element), TensorData.Create([number]))[0]);

    /// <summary>0, 1, 2, ... along a dimension of a tensor of so many dimensions, or from another number on.</summary>
    public Value Count(string part, int length, int axis, int rank, long from = 0)
    {
        if (length * (long)sizeof(long) > graph.RemainingBytes)
            throw node.Error($"{length} numbers are more than a model's constants may have together");
        var (numbers, shape) = (new long[length], new int[rank]);
        for (var i = 0; i < length; i++)
            numbers[i] = from + i;
        shape.AsSpan().Fill(1);
        shape[axis] = length;
        return graph.Constant(Name(part), TensorData.Create(numbers, shape));
    }

    /// <summary>An operation on two tensors that broadcast.</summary>
    public Value Binary(string part, BinaryKind kind, Value a, Value b) =>
        graph.Emit(Name(part), new BinaryOperator(kind, Activation.None), a, b);

    /// <summary>An operation on a tensor and a number.</summary>
    public Value Binary(string part, BinaryKind kind, Value a, double number) =>
        Binary(part, kind, a, Number($"{part}_number", number, a.Type.Element));

    /// <summary>A function of each element.</summary>
    public Value Unary(string part, UnaryKind kind, Value x) => graph.Emit(Name(part), new UnaryOperator(kind), x);

    /// <summary>An activation, float32.</summary>
    public Value Activate(string part, Activation activation, Value x) => graph.Emit(Name(part), new ActivationOperator(activation), x);

    /// <summary>A reduction that keeps the dimensions.</summary>
    public Value Reduce(string part, ReduceKind kind, int[] axes, Value x) =>
        graph.Emit(Name(part), new ReduceOperator(kind, axes, keepDimensions: true), x);

    /// <summary>The same numbers in another type; the value itself where it has that type.</summary>
    public Value Cast(string part, ElementType element, Value x) =>
        x.Type.Element == element ? x : graph.Emit(Name(part), new CastOperator(element), x);

    /// <summary>Element by element the one or the other.</summary>
    public Value Choose(string part, Value condition, Value a, Value b) => graph.Emit(Name(part), new WhereOperator(), condition, a, b);

    /// <summary>The same elements in another shape.</summary>
    public Value Reshape(string part, Value x, params ReadOnlySpan<int> shape) => graph.Reshape(Name(part), x, new TensorShape(shape));

    private string Name(string part) => part.Length == 0 ? node.Name : $"{node.Name}/{part}";
}
