using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A copy of the data into which slices are put where tuples of indices say: data (d...), indices (j..., k), int32 or int64, updates
/// (j..., inner...), inner being d from dimension k on -> y (d...), y[indices[j..., 0], ..., indices[j..., k-1], inner...] =
/// updates[j..., inner...], or what the reduction makes of both. An index below 0 counts from the back.
/// </summary>
/// <remarks>Updates are done in their order, on one thread: several may go to one place.</remarks>
internal sealed unsafe class ScatterNDOperator(ScatterReduction reduction) : Operator
{
    public override string Kind => "ScatterND";

    internal override bool MayRefuse(Node node) => node.Inputs[1] is { IsConstant: false };

    public ScatterReduction Reduction => reduction;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (data, indices) = (OperatorChecks.Required(inputs, 0, "data"), TensorIndex.Required(inputs, 1));
        var updates = OperatorChecks.Required(inputs, 2, "updates");
        Scattering.Check(data, updates, reduction);
        var shape = data.Shape.Lengths;
        var tuples = indices.Shape.Lengths;
        var tupleLength = tuples.Length == 0 ? 0 : tuples[^1];
        if (tupleLength < 1 || tupleLength > shape.Length)
        {
            throw new ArgumentException(
                $"The indices are {indices.Shape}; expected a last length from 1 to {shape.Length} for the data {data.Shape}.");
        }

        var wanted = new TensorShape([.. tuples[..^1], .. shape[tupleLength..]]);
        return updates.Shape == wanted
            ? [ShapeRules.Moved(data, data.Shape)]
            : throw new ArgumentException(
                $"The updates are {updates.Shape}; expected {wanted} for the data {data.Shape} and the indices {indices.Shape}.");
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Inputs[2]!.Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        context.Inputs[0].Bytes().CopyTo(context.Outputs[0].Bytes());
        var work = new Work { Context = context, Reduction = reduction };
        if (context.Inputs[2].Shape.ElementCount > 0)
            ElementDispatch.Numbers(Scattering.Arithmetic(context.Outputs[0].Type.Element), ref work);
    }

    private struct Work : INumberWork
    {
        public ForwardContext Context;
        public ScatterReduction Reduction;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var (indices, updates, y) = (Context.Inputs[1], Context.Inputs[2], Context.Outputs[0]);
            var tupleLength = indices.Shape[^1];
            var tuples = (nint)(indices.Shape.ElementCount / tupleLength);
            var inner = (nint)(updates.Shape.ElementCount / tuples);
            for (nint tuple = 0; tuple < tuples; tuple++)
            {
                var slice = TensorIndex.OfTuple(indices, tuple, tupleLength, y.Shape, 0, "ScatterND");
                var source = (T*)updates.Memory + (tuple * inner);
                var target = (T*)y.Memory + (slice * inner);
                for (nint i = 0; i < inner; i++)
                    target[i] = Scattering.Apply(Reduction, target[i], source[i]);
            }
        }
    }
}
