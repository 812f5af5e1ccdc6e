using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Dropout as it is in training: x float32, and int64 numbers (seed, step), or (seed) alone at step 0 -> y[i] = 0 for a share
/// <paramref name="rate"/> of the elements, x[i] / (1 - rate) for the others.
/// </summary>
/// <remarks>
/// Which elements are dropped follows from seed, step, layer and the element's index alone: any number of threads, and a training that
/// goes on later, drop the same ones, and the gradient computes them again instead of keeping them.
/// </remarks>
/// <param name="rate">The share of elements that become 0, from 0 to 1.</param>
/// <param name="layer">Tells layers apart that read the same seed.</param>
internal sealed unsafe class TrainingDropoutOperator(float rate, int layer = 0) : Operator
{
    public override string Kind => "TrainingDropout";

    public float Rate { get; } = rate;

    public int Layer { get; } = layer;

    internal override Aliasing Aliasing => Aliasing.InPlace;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (x, seed) = (OperatorChecks.Required(inputs, 0, "input"), OperatorChecks.Required(inputs, 1, "seed and step"));
        if (!(Rate >= 0 && Rate <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Dropout has rate {Rate}; it must be from 0 to 1."));
        OperatorChecks.Takes(x.Element == ElementType.Float32, x, "float32");
        if (seed.Element != ElementType.Int64 || seed.Shape.Rank != 1 || seed.Shape[0] is not (1 or 2))
            throw new ArgumentException($"Seed and step are {seed}; expected int64 (2), or (1) for a seed alone.");
        return [x with { Quantization = null }];
    }

    internal override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var seed = context.Inputs[1].Span<long>();
        var work = new Work
        {
            X = x.Pointer<float>(),
            Y = y.Pointer<float>(),

            // The fraction of the golden ratio, odd: layers have keys far from each other.
            Key = (ulong)seed[0] + ((ulong)Layer * 0x9E3779B97F4A7C15),
            Step = seed.Length > 1 ? (ulong)seed[1] : 0,
            Dropped = (long)(Rate * 4294967296.0),
            Factor = Rate < 1 ? 1 / (1 - Rate) : 0,
            Count = (nint)y.Shape.ElementCount,
        };

        // Parts begin where numbers do: each counter gives four.
        ElementParts.Run(work, (work.Count + 3) / 4, 4, context.Threads);
    }

    /// <summary>dx = dy / (1 - rate) for the elements that were kept, else 0.</summary>
    internal override Value?[]? Gradient(GradientContext context) =>
        [context.Add("input", new TrainingDropoutOperator(Rate, Layer), context.Output(0), context.Input(1)), null];

    private struct Work : IRangeWork
    {
        public float* X;
        public float* Y;
        public ulong Key;
        public ulong Step;
        public long Dropped;
        public float Factor;
        public nint Count;

        public readonly void Run(nint start, nint end)
        {
            for (var quad = start; quad < end; quad++)
            {
                var (a, b, c, d) = Philox.Numbers(Key, (ulong)quad, Step);
                var at = quad * 4;
                var left = Count - at;
                Write(at, a);
                if (left > 1)
                    Write(at + 1, b);
                if (left > 2)
                    Write(at + 2, c);
                if (left > 3)
                    Write(at + 3, d);
            }
        }

        // Bits, not a branch, which would be wrong as often as right: with it, an element took twice as long.
        private readonly void Write(nint at, uint number)
        {
            var isKept = ~(int)((number - Dropped) >> 63);
            Y[at] = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(X[at] * Factor) & isKept);
        }
    }
}
