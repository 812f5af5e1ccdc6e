namespace SeparableConv.Networks.Operators;

/// <summary>
/// The slices that tuples of indices name: x (b..., d...), indices (b..., j..., k), int32 or int64 -> y (b..., j..., inner...),
/// y[b..., j..., inner...] = x[b..., indices[b..., j..., 0], ..., indices[b..., j..., k-1], inner...]. The first
/// <paramref name="batchDimensions"/> dimensions are the same in both. An index below 0 counts from the back.
/// </summary>
internal sealed unsafe class GatherNDOperator(int batchDimensions = 0) : Operator
{
    public override string Kind => "GatherND";

    internal override bool MayRefuse(Node node) => node.Inputs[1] is { IsConstant: false };

    public int BatchDimensions => batchDimensions;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (input, indices) = (OperatorChecks.Required(inputs, 0, "input"), TensorIndex.Required(inputs, 1));
        var shape = input.Shape.Lengths;
        var tuples = indices.Shape.Lengths;
        var tupleLength = tuples.Length == 0 ? 0 : tuples[^1];
        var batch = Math.Max(0, batchDimensions);
        if (batch != batchDimensions || tuples.Length <= batch || tupleLength < 1 || tupleLength > shape.Length - batch
            || !shape[..batch].SequenceEqual(tuples[..batch]))
        {
            throw new ArgumentException(
                $"The indices {indices.Shape} do not fit the input {input.Shape}; expected {batchDimensions} dimensions of the input "
                + "first, and as the last length 1 to the number of the dimensions behind them.");
        }

        int[] output = [.. tuples[..^1], .. shape[(batch + tupleLength)..]];
        return [ShapeRules.Moved(input, new TensorShape(output))];
    }

    internal override void Forward(ForwardContext context)
    {
        var (x, indices, y) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        if (y.Shape.ElementCount == 0)
            return;
        var tupleLength = indices.Shape[^1];
        var tuples = indices.Shape.ElementCount / tupleLength;
        var batches = ShapeRules.Product(x.Shape.Lengths[..batchDimensions]);
        var work = new Work
        {
            Source = (byte*)x.Memory,
            Target = (byte*)y.Memory,
            Indices = indices,
            Shape = x.Shape,
            Batch = batchDimensions,
            TupleLength = tupleLength,
            TuplesInBatch = (nint)(tuples / batches),
            SlicesInBatch = (nint)ShapeRules.Product(x.Shape.Lengths.Slice(batchDimensions, tupleLength)),
            Bytes = (nint)(y.Type.Bytes / tuples),
        };
        ElementParts.Run(work, tuples, tupleLength + (work.Bytes / sizeof(float)), context.Threads);
    }

    private struct Work : IRangeWork
    {
        public byte* Source;
        public byte* Target;
        public TensorBuffer Indices;
        public TensorShape Shape;
        public int Batch;
        public int TupleLength;
        public nint TuplesInBatch;
        public nint SlicesInBatch;
        public nint Bytes;

        public readonly void Run(nint start, nint end)
        {
            for (var tuple = start; tuple < end; tuple++)
            {
                var slice = (tuple / TuplesInBatch * SlicesInBatch)
                    + TensorIndex.OfTuple(Indices, tuple, TupleLength, Shape, Batch, "GatherND");
                Buffer.MemoryCopy(Source + (slice * Bytes), Target + (tuple * Bytes), Bytes, Bytes);
            }
        }
    }
}
