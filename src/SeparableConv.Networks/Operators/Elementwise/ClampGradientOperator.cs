using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradient of a clamp, ReLU and ReLU6 among them, from its output: gradient dy and output y of one shape -> dx, dx = 0 where
/// y &lt;= lower or y &gt;= upper, else dy. At a bound the gradient is 0, as in PyTorch's ReLU and ReLU6; where y is NaN it is dy.
/// </summary>
internal sealed unsafe class ClampGradientOperator(float lower, float upper) : Operator
{
    public override string Kind => "ClampGradient";

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var gradient = GradientChecks.SameShape(inputs, "gradient", "output");
        OperatorChecks.Takes(gradient.Element == ElementType.Float32, gradient, "float32");
        return [gradient];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (gradient, output, result) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        var work = new Work
        {
            Gradient = gradient.Pointer<float>(),
            Output = output.Pointer<float>(),
            Result = result.Pointer<float>(),
            Lower = lower,
            Upper = upper,
        };
        ElementParts.Run(work, result.Shape.ElementCount, 1, context.Threads);
    }

    private struct Work : IRangeWork
    {
        public float* Gradient;
        public float* Output;
        public float* Result;
        public float Lower;
        public float Upper;

        public readonly void Run(nint start, nint end)
        {
            var at = start;
            for (; at + Vector<float>.Count <= end; at += Vector<float>.Count)
            {
                var y = Vector.Load(Output + at);
                var isClamped = Vector.LessThanOrEqual(y, new Vector<float>(Lower))
                    | Vector.GreaterThanOrEqual(y, new Vector<float>(Upper));
                Vector.Store(Vector.ConditionalSelect(isClamped, Vector<float>.Zero, Vector.Load(Gradient + at)), Result + at);
            }

            for (; at < end; at++)
                Result[at] = Output[at] <= Lower || Output[at] >= Upper ? 0 : Gradient[at];
        }
    }
}
