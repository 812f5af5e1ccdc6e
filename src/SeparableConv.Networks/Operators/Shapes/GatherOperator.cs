using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The slices along an axis that the second input, int32 or int64, names:
/// y[outer..., j..., inner...] = x[outer..., indices[j...], inner...]. An index below 0 counts from the back.
/// </summary>
internal sealed unsafe class GatherOperator(int axis) : Operator
{
    public override string Kind => "Gather";

    internal override bool MayRefuse(Node node) => node.Inputs[1] is { IsConstant: false };

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        var indices = TensorIndex.Required(inputs, 1);
        var along = TensorAxis.Resolve(axis, input.Shape.Rank);
        var lengths = input.Shape.Lengths;
        int[] output = [.. lengths[..along], .. indices.Shape.Lengths, .. lengths[(along + 1)..]];
        return [ShapeRules.Moved(input, new TensorShape(output))];
    }

    internal override void Forward(ForwardContext context)
    {
        var (x, indices, y) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        if (y.Shape.ElementCount == 0)
            return;
        var along = TensorAxis.Resolve(axis, x.Shape.Rank);
        var outer = ShapeRules.Product(x.Shape.Lengths[..along]);
        var bytes = ShapeRules.Product(x.Shape.Lengths[(along + 1)..]) * x.Type.Element.Size();
        var (count, length) = (indices.Shape.ElementCount, x.Shape[along]);
        var work = new Work
        {
            Source = (byte*)x.Memory,
            Target = (byte*)y.Memory,
            Indices = indices,
            Count = (nint)count,
            Length = length,
            Bytes = (nint)bytes,
        };
        ElementParts.Run(work, outer, count * bytes / sizeof(float), context.Threads);
    }

    /// <summary>dx[o, i, c] = sum over the j with indices[j] = i of dy[o, j, c]; float32.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var x = context.Input(0);
        if (x.Type.Element != ElementType.Float32)
            return null;
        var along = TensorAxis.Resolve(axis, x.Shape.Rank);
        return context.Wants(0)
            ? [context.Add("input", new GatherGradientOperator(along, x.Shape[along]), context.Output(0), context.Input(1)), null]
            : context.Nothing();
    }

    private struct Work : IRangeWork
    {
        public byte* Source;
        public byte* Target;
        public TensorBuffer Indices;
        public nint Count;
        public int Length;
        public nint Bytes;

        public readonly void Run(nint start, nint end)
        {
            for (var outer = start; outer < end; outer++)
            {
                var source = Source + (outer * Length * Bytes);
                var target = Target + (outer * Count * Bytes);
                for (nint j = 0; j < Count; j++, target += Bytes)
                {
                    var from = source + (TensorIndex.Of(Indices, j, Length, "Gather") * Bytes);

                    // Channels of a pixel are numbers by themselves, for each of which a copy's call would take longest.
                    if (Bytes == sizeof(float))
                        *(float*)target = *(float*)from;
                    else
                        Buffer.MemoryCopy(from, target, Bytes, Bytes);
                }
            }
        }
    }
}
