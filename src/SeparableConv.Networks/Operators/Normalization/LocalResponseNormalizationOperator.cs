using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Each number divided by what its neighbouring channels have: x (..., C) -> y_c = x_c / (bias + alpha * s_c)^beta, s_c the sum of x_k^2
/// over the channels k from c - before to c + after that there are; float32.
/// </summary>
internal sealed unsafe class LocalResponseNormalizationOperator(int before, int after, float alpha, float beta, float bias) : Operator
{
    private const int BlockElements = 256;

    public override string Kind => "LocalResponseNormalization";

    public int Before => before;

    public int After => after;

    public float Alpha => alpha;

    public float Beta => beta;

    public float Bias => bias;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = ShapeRules.Only(inputs);
        OperatorChecks.Takes(x.Element == ElementType.Float32 && x.Shape.Rank > 0, x, "float32 with channels");
        return before >= 0 && after >= 0
            ? [x with { Quantization = null }]
            : throw new ArgumentException($"The window has {before} channels before and {after} behind; expected 0 or more.");
    }

    internal override OperatorCost Cost(Node node)
    {
        var window = Math.Min((long)before + after + 1, node.Outputs[0].Shape[^1]);
        return new(0, (window + 3) * node.Outputs[0].Shape.ElementCount);
    }

    internal override void Forward(ForwardContext context)
    {
        var x = context.Inputs[0];
        var channels = x.Shape[^1];
        if (channels == 0)
            return;
        var work = new Work
        {
            X = x.Pointer<float>(),
            Y = context.Outputs[0].Pointer<float>(),
            Channels = channels,
            Operator = this,
        };
        ElementParts.Run(work, x.Shape.ElementCount / channels, 8L * channels, context.Threads);
    }

    private struct Work : IRangeWork
    {
        public float* X;
        public float* Y;
        public int Channels;
        public LocalResponseNormalizationOperator Operator;

        public readonly void Run(nint start, nint end)
        {
            for (var pixel = start; pixel < end; pixel++)
            {
                var x = new ReadOnlySpan<float>(X + (pixel * Channels), Channels);
                var y = new Span<float>(Y + (pixel * Channels), Channels);
                SumSquares(x, y);
                TensorPrimitives.Multiply(y, Operator.Alpha, y);
                TensorPrimitives.Add(y, Operator.Bias, y);
                for (var c = 0; c < Channels; c += BlockElements)
                {
                    var count = Math.Min(BlockElements, Channels - c);
                    Divide(x.Slice(c, count), y.Slice(c, count));
                }
            }
        }

        // All channels at once for each distance from the middle of the window.
        private readonly void SumSquares(ReadOnlySpan<float> x, Span<float> sums)
        {
            TensorPrimitives.Multiply(x, x, sums);
            for (var distance = 1; distance <= Math.Min(Operator.Before, Channels - 1); distance++)
                Add(x[..^distance], sums[distance..]);
            for (var distance = 1; distance <= Math.Min(Operator.After, Channels - 1); distance++)
                Add(x[distance..], sums[..^distance]);

            static void Add(ReadOnlySpan<float> x, Span<float> sums) => TensorPrimitives.MultiplyAddEstimate(x, x, sums, sums);
        }

        // y = x / y^beta; the exponents of published networks need roots alone.
        private readonly void Divide(ReadOnlySpan<float> x, Span<float> y)
        {
            if (Operator.Beta == 0.75f)
            {
                Span<float> root = stackalloc float[BlockElements];
                root = root[..y.Length];
                TensorPrimitives.Sqrt(y, root);
                TensorPrimitives.Sqrt<float>(root, y);
                TensorPrimitives.Multiply(y, root, y);
            }
            else if (Operator.Beta == 0.5f)
            {
                TensorPrimitives.Sqrt<float>(y, y);
            }
            else if (Operator.Beta != 1)
            {
                TensorPrimitives.Pow(y, Operator.Beta, y);
            }

            TensorPrimitives.Divide(x, y, y);
        }
    }
}
