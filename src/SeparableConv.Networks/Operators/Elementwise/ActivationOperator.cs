using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// An activation by itself: x (..., C), float32 -> the same shape. Where the function has channels, softmax or a PReLU's slopes, they
/// are the last dimension. The formula is the <see cref="SeparableConv.Activation"/>'s.
/// </summary>
internal sealed class ActivationOperator(Activation activation) : Operator
{
    public override string Kind => Activation.NeedsAllChannels ? "Softmax" : "Activation";

    public Activation Activation { get; } = activation;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(input.Element == ElementType.Float32, input, "float32");
        OperatorChecks.Activation(Activation, input.Element, input.Shape.Rank > 0 ? input.Shape[^1] : 1);
        return [input with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context) =>
        ActivationWork.Run(Activation, context.Inputs[0], context.Outputs[0], context.Threads);

    /// <summary>dx = dy * f'(x): see the gradient's own operator. Softmax: dx = y * (dy - sum over the channels of dy * y).</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        if (context.Output(0) is not { } dy)
            return null;
        var (x, y) = (context.Input(0), context.Node.Outputs[0]);
        if (Activation.IsNone)
            return [dy];
        if (Activation.IsClamp)
            return [context.Add("input", new ClampGradientOperator(Activation.LowerBound, Activation.UpperBound), dy, y)];
        if (!Activation.NeedsAllChannels)
            return [context.Add("input", new ActivationGradientOperator(Activation), dy, Activation.GradientReadsOutput ? y : x)];

        // A scalar is its own only channel.
        var shape = x.Shape.Rank == 0 ? new TensorShape(1) : x.Shape;
        var dx = context.Add(
            "input", new SoftmaxGradientOperator(-1, logarithm: false), context.Reshape(dy, shape), context.Reshape(y, shape));
        return [context.Reshape(dx, x.Shape)];
    }
}

/// <summary>An activation from one float32 tensor to another, or in place; the last dimension holds the channels.</summary>
internal unsafe struct ActivationWork : IRangeWork
{
    private const int BlockElements = 4096;

    private float* _x;
    private float* _y;
    private Activation _activation;
    private int _channels;

    public static void Run(Activation activation, TensorBuffer x, TensorBuffer y, int threads)
    {
        // A function of single elements knows no rows: it is cut anywhere.
        var byRow = activation.NeedsAllChannels || activation.RequiredChannels > 0;
        Run(activation, x, y, byRow && x.Shape.Rank > 0 ? x.Shape[^1] : 1, threads);
    }

    /// <summary>The same with rows of <paramref name="channels"/> elements, whatever the last dimension is.</summary>
    public static void Run(Activation activation, TensorBuffer x, TensorBuffer y, int channels, int threads)
    {
        if (channels == 0)
            return;
        var work = new ActivationWork { _x = x.Pointer<float>(), _y = y.Pointer<float>(), _activation = activation, _channels = channels };
        ElementParts.Run(work, x.Shape.ElementCount / channels, channels, threads);
    }

    public readonly void Run(nint start, nint end)
    {
        var block = Math.Max(1, BlockElements / _channels);
        for (var at = start; at < end; at += block)
        {
            var rows = Math.Min(block, end - at);
            var x = _x + (at * _channels);
            var y = _y + (at * _channels);
            var count = checked((int)(rows * _channels));
            if (x != y)
                new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(y, count));
            _activation.Apply(y, rows, _channels, SimdWidths.Best);
        }
    }
}
