using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Exact sums brought to real numbers: x (..., C) of int32, scale of float32, one number or C, and, where there is one, a bias of float32,
/// one number or C -> float32, y[..., c] = activation(x[..., c] * scale[c] + bias[c]), every step in single precision by itself.
/// </summary>
internal sealed class ScaledSumsOperator(Activation activation) : Operator
{
    public override string Kind => "ScaledSums";

    public Activation Activation { get; } = activation;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(x.Element == ElementType.Int32, x, "int32");
        var channels = x.Shape.Rank > 0 ? x.Shape[^1] : 1;
        CheckRow(OperatorChecks.Required(inputs, 1, "scale"), "scale", channels);
        if (inputs.Length > 2 && inputs[2] is { } bias)
            CheckRow(bias, "bias", channels);
        OperatorChecks.Activation(Activation, ElementType.Float32, channels);
        return [new(ElementType.Float32, x.Shape)];
    }

    internal override OperatorCost Cost(Node node) => new(0, 2 * node.Outputs[0].Shape.ElementCount);

    internal override unsafe void Forward(ForwardContext context)
    {
        var (x, scale, bias, y) = (context.Inputs[0], context.Inputs[1], context.Optional(2), context.Outputs[0]);
        var channels = x.Shape.Rank > 0 ? x.Shape[^1] : 1;
        if (channels == 0)
            return;
        var work = new Work
        {
            X = x.Pointer<int>(),
            Y = y.Pointer<float>(),
            Scale = scale.Pointer<float>(),
            Bias = bias.IsPresent ? bias.Pointer<float>() : null,
            IsOneScale = scale.Shape.ElementCount == 1,
            IsOneBias = bias.IsPresent && bias.Shape.ElementCount == 1,
            Channels = channels,
        };
        ElementParts.Run(work, x.Shape.ElementCount / channels, channels, context.Threads);
        if (!Activation.IsNone)
            ActivationWork.Run(Activation, y, y, context.Threads);
    }

    private static void CheckRow(TensorType type, string what, int channels)
    {
        var count = type.Shape.ElementCount;
        if (type.Element != ElementType.Float32 || type.Shape.Rank > 1 || (count != 1 && count != channels))
            throw new ArgumentException($"The {what} is {type}; expected one float32, or {channels}, one for each channel.");
    }

    private unsafe struct Work : IRangeWork
    {
        public int* X;
        public float* Y;
        public float* Scale;
        public float* Bias;
        public bool IsOneScale;
        public bool IsOneBias;
        public int Channels;

        public readonly void Run(nint start, nint end)
        {
            for (var row = start; row < end; row++)
                RunRow(X + (row * Channels), Y + (row * Channels));
        }

        private readonly void RunRow(int* x, float* y)
        {
            var c = 0;
            for (; c <= Channels - Vector<float>.Count; c += Vector<float>.Count)
            {
                var scale = IsOneScale ? new Vector<float>(*Scale) : Vector.Load(Scale + c);
                var value = Vector.ConvertToSingle(Vector.Load(x + c)) * scale;
                if (Bias != null)
                    value += IsOneBias ? new Vector<float>(*Bias) : Vector.Load(Bias + c);
                value.Store(y + c);
            }

            for (; c < Channels; c++)
            {
                var value = x[c] * Scale[IsOneScale ? 0 : c];
                y[c] = Bias == null ? value : value + Bias[IsOneBias ? 0 : c];
            }
        }
    }
}
