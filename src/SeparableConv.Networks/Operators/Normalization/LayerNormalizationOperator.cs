using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Each row normalized by itself: x (outer..., inner...) with the inner dimensions from <paramref name="axis"/> on as one row, scale and
/// an optional bias (inner...) -> y = (x - mean) / sqrt(variance + epsilon) * scale + bias, float32.
/// </summary>
/// <param name="axis">The first dimension of a row, from the back where below 0.</param>
/// <param name="epsilon">Added to the variance.</param>
internal sealed unsafe class LayerNormalizationOperator(int axis, float epsilon) : Operator
{
    public override string Kind => "LayerNormalization";

    public int Axis => axis;

    public float Epsilon => epsilon;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(x.Element == ElementType.Float32, x, "float32");
        var row = new TensorShape(x.Shape.Lengths[TensorAxis.Resolve(axis, x.Shape.Rank)..]);
        if (row.ElementCount is < 1 or > int.MaxValue)
            throw new ArgumentException($"The input {x.Shape} has rows of {row.ElementCount} numbers; expected 1 to {int.MaxValue}.");
        Check(OperatorChecks.Required(inputs, 1, "scale"), "scale");
        if (inputs.Length > 2 && inputs[2] is { } bias)
            Check(bias, "bias");
        return [x with { Quantization = null }];

        void Check(TensorType type, string what)
        {
            if (type.Element != ElementType.Float32 || type.Shape != row)
                throw new ArgumentException($"The {what} is {type}; expected float32 {row}, the input's dimensions from axis {axis} on.");
        }
    }

    internal override OperatorCost Cost(Node node) => new(0, 6 * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (x, bias) = (context.Inputs[0], context.Optional(2));
        var length = (int)context.Inputs[1].Shape.ElementCount;
        var work = new Work
        {
            X = x.Pointer<float>(),
            Y = context.Outputs[0].Pointer<float>(),
            Scale = context.Inputs[1].Pointer<float>(),
            Bias = bias.IsPresent ? bias.Pointer<float>() : null,
            Length = length,
            Epsilon = epsilon,
        };
        ElementParts.Run(work, x.Shape.ElementCount / length, length, context.Threads);
    }

    private struct Work : IRangeWork
    {
        public float* X;
        public float* Y;
        public float* Scale;
        public float* Bias;
        public int Length;
        public float Epsilon;

        public readonly void Run(nint start, nint end)
        {
            var offset = start * Length;
            var loop = new LayerNormLoop
            {
                X = X + offset,
                Y = Y + offset,
                Scale = Scale,
                Bias = Bias,
                Length = Length,
                Rows = end - start,
                Epsilon = Epsilon,
            };
            SimdWidths.Best.Dispatch(ref loop);
        }
    }
}
