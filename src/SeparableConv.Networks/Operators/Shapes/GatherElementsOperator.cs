namespace SeparableConv.Networks.Operators;

/// <summary>
/// For each index the element that it names along an axis: y[i_0, ..., i_a, ...] = x[i_0, ..., indices[i_0, ..., i_a, ...], ...],
/// indices int32 or int64, as long as x or shorter in the other dimensions. An index below 0 counts from the back.
/// </summary>
internal sealed unsafe class GatherElementsOperator(int axis) : Operator
{
    public override string Kind => "GatherElements";

    internal override bool MayRefuse(Node node) => node.Inputs[1] is { IsConstant: false };

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (input, indices) = (OperatorChecks.Required(inputs, 0, "input"), TensorIndex.Required(inputs, 1));
        _ = new ElementIndices(input.Shape, indices.Shape, axis);
        return [ShapeRules.Moved(input, indices.Shape)];
    }

    internal override void Forward(ForwardContext context)
    {
        var work = new Work
        {
            X = context.Inputs[0].Memory,
            Y = context.Outputs[0].Memory,
            Indices = context.Inputs[1],
            Elements = new ElementIndices(context.Inputs[0].Shape, context.Inputs[1].Shape, axis),
            Threads = context.Threads,
        };
        ElementDispatch.Bits(context.Outputs[0].Type.Element.Size(), ref work);
    }

    private struct Work : IBitsWork
    {
        public void* X;
        public void* Y;
        public TensorBuffer Indices;
        public ElementIndices Elements;
        public int Threads;

        public readonly void Run<T>()
            where T : unmanaged
        {
            var rows = new RowWork<T> { X = (T*)X, Y = (T*)Y, Indices = Indices, Elements = Elements };
            ElementParts.Run(rows, Elements.Rows, Elements.Row, Threads);
        }
    }

    private struct RowWork<T> : IRangeWork
        where T : unmanaged
    {
        public T* X;
        public T* Y;
        public TensorBuffer Indices;
        public ElementIndices Elements;

        public readonly void Run(nint start, nint end)
        {
            for (var row = start; row < end; row++)
            {
                var first = row * Elements.Row;
                var x = X + Elements.RowOffset(row);
                for (nint i = 0; i < Elements.Row; i++)
                {
                    var index = TensorIndex.Of(Indices, first + i, Elements.Length, "GatherElements");
                    Y[first + i] = x[(index * Elements.AxisStride) + (i * Elements.RowStride)];
                }
            }
        }
    }
}

/// <summary>
/// Where the elements lie that a tensor of indices names along an axis of another tensor. A row is the last dimension of the indices.
/// </summary>
internal readonly struct ElementIndices
{
    private readonly StridedLoops _rows;

    /// <param name="shape">The tensor's shape.</param>
    /// <param name="indices">The shape of the indices.</param>
    /// <param name="axis">The axis, from the back where below 0.</param>
    /// <exception cref="ArgumentException">The shapes do not fit.</exception>
    public ElementIndices(TensorShape shape, TensorShape indices, int axis)
    {
        TensorShapes.CheckRank(shape);
        var along = TensorAxis.Resolve(axis, shape.Rank);
        var fits = indices.Rank == shape.Rank;
        for (var d = 0; fits && d < shape.Rank; d++)
            fits = d == along || indices[d] <= shape[d];
        if (!fits)
        {
            throw new ArgumentException(
                $"The indices are {indices}; expected as many dimensions as {shape} has, none but dimension {along} longer than there.");
        }

        Span<nint> strides = stackalloc nint[shape.Rank];
        nint stride = 1;
        for (var d = shape.Rank - 1; d >= 0; d--)
        {
            strides[d] = stride;
            stride *= shape[d];
        }

        (Length, AxisStride) = (shape[along], strides[along]);
        strides[along] = 0;
        for (var d = 0; d < shape.Rank - 1; d++)
            _rows.Add(indices[d], strides[d], 0);
        (Row, RowStride) = (indices[^1], strides[^1]);
        Rows = Row == 0 ? 0 : (nint)(indices.ElementCount / Row);
    }

    /// <summary>How long the axis is.</summary>
    public int Length { get; }

    /// <summary>Elements from one index of the axis to the next.</summary>
    public nint AxisStride { get; }

    public nint Rows { get; }

    /// <summary>Elements of a row.</summary>
    public int Row { get; }

    /// <summary>How far the tensor moves from one element of a row to the next; 0 where the row lies along the axis.</summary>
    public nint RowStride { get; }

    /// <summary>Where a row begins in the tensor, at index 0 of the axis.</summary>
    public nint RowOffset(nint row) => _rows.Offsets(row, _rows.Count).A;
}
