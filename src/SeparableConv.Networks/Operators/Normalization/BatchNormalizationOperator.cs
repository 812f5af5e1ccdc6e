using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Batch normalization with the mean and variance that training has found: x (..., C), scale, bias, mean and variance (C) -> (..., C),
/// y[..., c] = (x[..., c] - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c].
/// </summary>
internal sealed unsafe class BatchNormalizationOperator(float epsilon) : Operator
{
    private static readonly string[] Parameters = ["scale", "bias", "mean", "variance"];

    public override string Kind => "BatchNormalization";

    /// <summary>Added to the variance before the root is taken.</summary>
    public float Epsilon { get; } = epsilon;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override InputRole RoleOf(int input, TensorType type) => input switch
    {
        0 => InputRole.Data,
        1 or 2 => InputRole.Parameter,
        _ => InputRole.Statistic,
    };

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        if (input.Element != ElementType.Float32 || input.Shape.Rank == 0)
            throw new ArgumentException($"The input is {input}; expected float32 with the channels as its last dimension.");
        for (var i = 0; i < Parameters.Length; i++)
        {
            var parameter = OperatorChecks.Required(inputs, i + 1, Parameters[i], ElementType.Float32, 1);
            if (parameter.Shape[0] != input.Shape[^1])
            {
                throw new ArgumentException(
                    $"The {Parameters[i]} has {parameter.Shape[0]} numbers but the input {input.Shape} has {input.Shape[^1]} channels.");
            }
        }

        return [input with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, 2 * node.Outputs[0].Shape.ElementCount);

    internal override Step Prepare(Node node)
    {
        for (var i = 1; i <= Parameters.Length; i++)
        {
            if (!node.Inputs[i]!.IsConstant)
                return new ForwardStep(this);
        }

        var factors = new PackedBuffer(2 * BufferLength(node.Inputs[0]!.Shape[^1]));
        Combine(
            node.Inputs[1]!.Constant!.Span<float>(),
            node.Inputs[2]!.Constant!.Span<float>(),
            node.Inputs[3]!.Constant!.Span<float>(),
            node.Inputs[4]!.Constant!.Span<float>(),
            factors.Span);
        return new BatchNormalizationStep(factors);
    }

    internal override void Forward(ForwardContext context)
    {
        var (x, channels) = (context.Inputs[0], context.Inputs[0].Shape[^1]);
        if (x.Shape.ElementCount == 0)
            return;
        var length = 2 * BufferLength(channels);
        var factors = Scratch.Floats(length);
        Combine(
            context.Inputs[1].Span<float>(),
            context.Inputs[2].Span<float>(),
            context.Inputs[3].Span<float>(),
            context.Inputs[4].Span<float>(),
            new(factors, checked((int)length)));
        Scale(context, factors);
    }

    /// <summary>
    /// y = x*factor + offset, channel by channel; factors and offsets lie behind each other as <see cref="Combine"/> left them.
    /// </summary>
    private static void Scale(ForwardContext context, float* factors)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var channels = x.Shape[^1];
        var work = new Work
        {
            X = x.Pointer<float>(),
            Y = y.Pointer<float>(),
            Factors = factors,
            Channels = channels,
            Length = (int)BufferLength(channels),
        };
        ElementParts.Run(work, x.Shape.ElementCount / Math.Max(1, channels), channels, context.Threads);
    }

    /// <summary>Writes the factor and the offset of each channel, repeated to the length of the buffer's halves.</summary>
    private void Combine(
        ReadOnlySpan<float> scale, ReadOnlySpan<float> bias, ReadOnlySpan<float> mean, ReadOnlySpan<float> variance, Span<float> factors)
    {
        var half = factors.Length / 2;
        for (var i = 0; i < half; i++)
        {
            var c = i % scale.Length;
            var factor = scale[c] / MathF.Sqrt(variance[c] + Epsilon);
            factors[i] = factor;
            factors[half + i] = (float)(bias[c] - ((double)mean[c] * factor));
        }
    }

    // Few channels are repeated, so that the loop over them is long enough for vectors.
    private static nint BufferLength(int channels) => (nint)channels * Math.Max(1, 256 / Math.Max(1, channels));

    private sealed class BatchNormalizationStep(PackedBuffer factors) : Step
    {
        public override void Run(ForwardContext context)
        {
            Scale(context, factors.Pointer);
            GC.KeepAlive(factors);
        }
    }

    private struct Work : IRangeWork
    {
        public float* X;
        public float* Y;
        public float* Factors;
        public int Channels;
        public int Length;

        public readonly void Run(nint start, nint end)
        {
            for (var at = start * Channels; at < end * Channels; at += Length)
            {
                var count = (int)Math.Min(Length, (end * Channels) - at);
                TensorPrimitives.MultiplyAddEstimate(
                    new ReadOnlySpan<float>(X + at, count),
                    new ReadOnlySpan<float>(Factors, count),
                    new ReadOnlySpan<float>(Factors + Length, count),
                    new Span<float>(Y + at, count));
            }
        }
    }
}
