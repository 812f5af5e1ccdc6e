using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Fully connected layer, bias and activation fused: x (..., I), weights (I, O), bias (O) or none -> (..., O),
/// y[..., o] = activation(bias[o] + sum over i of x[..., i] * w[i, o]).
/// </summary>
internal sealed class DenseOperator(Activation activation) : Operator
{
    public override string Kind => "Dense";

    public Activation Activation { get; } = activation;

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        var weights = OperatorChecks.Required(inputs, 1, "weights", ElementType.Float32, 2);
        if (x.Element != ElementType.Float32 || x.Shape.Rank == 0 || x.Shape[^1] != weights.Shape[0])
        {
            throw new ArgumentException(
                $"The input is {x} but the weights {weights.Shape} are for float32 with {weights.Shape[0]} numbers in the last dimension.");
        }

        if (weights.Shape.ElementCount == 0)
            throw new ArgumentException($"The weights {weights.Shape} are empty; give at least one input and one output.");
        TensorShapes.CheckRank(x.Shape);
        OperatorChecks.Bias(inputs, 2, weights.Shape[1], ElementType.Float32);
        OperatorChecks.Activation(Activation, ElementType.Float32, weights.Shape[1]);
        int[] shape = [.. x.Shape.Lengths[..^1], weights.Shape[1]];
        return [new(ElementType.Float32, new TensorShape(shape))];
    }

    internal override OperatorCost Cost(Node node) => new(node.Outputs[0].Shape.ElementCount * node.Inputs[1]!.Shape[0]);

    internal override Step Prepare(Node node)
    {
        var (weights, bias) = (node.Inputs[1]!, node.Inputs.Count > 2 ? node.Inputs[2] : null);
        if (weights.IsParameter && bias is null or { IsStored: true })
            return PackedProductStep.OfParameters(weights.Shape[0], weights.Shape[1], transposed: false, Activation);
        if (weights.Constant is null || bias is { IsConstant: false })
            return new ForwardStep(this);
        var biases = bias is null ? default : bias.Constant!.Span<float>();
        return new PackedProductStep(weights.Constant.Span<float>(), weights.Shape[0], weights.Shape[1], biases, Activation);
    }

    internal override unsafe void Forward(ForwardContext context)
    {
        var (x, w, y) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        var (inputs, outputs) = (w.Shape[0], w.Shape[1]);
        var product = new MatrixProductWork<float>
        {
            A = x.Pointer<float>(),
            RowStride = inputs,
            StepStride = 1,
            B = w.Pointer<float>(),
            Y = y.Pointer<float>(),
            Rows = (nint)x.Shape.ElementCount / inputs,
            Depth = inputs,
            Columns = outputs,
        };
        product.Run(1, context.Threads);
        if (context.Optional(2).IsPresent)
        {
            var add = BinaryRow.For(BinaryKind.Add, ElementType.Float32, ElementType.Float32);
            ElementParts.Run(new BroadcastWork(add, y, context.Inputs[2], y, Activation.None), y.Shape.ElementCount, 1, context.Threads);
        }

        if (!Activation.IsNone)
            ActivationWork.Run(Activation, y, y, context.Threads);
    }

    /// <summary>
    /// The gradients of the product (<see cref="RowProductGradient"/>), and of the bias dbias[o] = sum over the rows r of dy[r, o].
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        if (!Activation.IsNone || context.Output(0) is not { } dy)
            return null;
        var (x, w, gradients) = (context.Input(0), context.Input(1), context.Nothing());
        dy = context.Reshape(dy, RowProductGradient.Rows(x.Shape, w.Shape[1]));
        if (context.Wants(0))
            gradients[0] = RowProductGradient.Left(context, dy, w, x.Shape);
        if (context.Wants(1))
            gradients[1] = RowProductGradient.Right(context, x, dy);
        if (context.Wants(2))
            gradients[2] = context.Add("bias", new ReduceOperator(ReduceKind.Sum, [0], keepDimensions: false), dy);
        return gradients;
    }
}
