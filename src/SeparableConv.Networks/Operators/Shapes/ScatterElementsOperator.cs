using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A copy of the data into which numbers are put where indices along an axis say:
/// y[i_0, ..., indices[i_0, ..., i_a, ...], ...] = updates[i_0, ..., i_a, ...], or what the reduction makes of both. Indices, int32 or
/// int64, and updates have one shape, as long as the data or shorter in the other dimensions. An index below 0 counts from the back.
/// </summary>
/// <remarks>Updates are done in their order, on one thread: several may go to one place.</remarks>
internal sealed unsafe class ScatterElementsOperator(int axis, ScatterReduction reduction) : Operator
{
    public override string Kind => "ScatterElements";

    internal override bool MayRefuse(Node node) => node.Inputs[1] is { IsConstant: false };

    /// <summary>The axis, from the back where below 0.</summary>
    public int Axis => axis;

    public ScatterReduction Reduction => reduction;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (data, indices) = (OperatorChecks.Required(inputs, 0, "data"), TensorIndex.Required(inputs, 1));
        var updates = OperatorChecks.Required(inputs, 2, "updates");
        Scattering.Check(data, updates, reduction);
        OperatorChecks.SameShape(indices, updates);
        _ = new ElementIndices(data.Shape, indices.Shape, axis);
        return [ShapeRules.Moved(data, data.Shape)];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[2]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        context.Inputs[0].Bytes().CopyTo(context.Outputs[0].Bytes());
        var work = new Work
        {
            Context = context,
            Elements = new ElementIndices(context.Inputs[0].Shape, context.Inputs[1].Shape, axis),
            Reduction = reduction,
        };
        ElementDispatch.Numbers(Scattering.Arithmetic(context.Outputs[0].Type.Element), ref work);
    }

    private struct Work : INumberWork
    {
        public ForwardContext Context;
        public ElementIndices Elements;
        public ScatterReduction Reduction;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var indices = Context.Inputs[1];
            var updates = (T*)Context.Inputs[2].Memory;
            var y = (T*)Context.Outputs[0].Memory;
            for (nint row = 0; row < Elements.Rows; row++)
            {
                var first = row * Elements.Row;
                var target = y + Elements.RowOffset(row);
                for (nint i = 0; i < Elements.Row; i++)
                {
                    var index = TensorIndex.Of(indices, first + i, Elements.Length, "ScatterElements");
                    var at = (index * Elements.AxisStride) + (i * Elements.RowStride);
                    target[at] = Scattering.Apply(Reduction, target[at], updates[first + i]);
                }
            }
        }
    }
}
