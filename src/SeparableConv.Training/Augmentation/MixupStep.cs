using System.Globalization;
using System.Numerics.Tensors;
using SeparableConv.Networks.Graph;

namespace SeparableConv.Training.Augmentation;

/// <summary>Mixes the pictures of a batch in pairs, each with a weight of its own from Beta(alpha, alpha).</summary>
internal sealed class MixupStep
{
    private readonly double _alpha;

    /// <exception cref="ArgumentException">The number is not above 0 and at most 1.</exception>
    public MixupStep(double alpha)
    {
        if (!(alpha is > 0 and <= 1))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The step mixup takes alpha, above 0 and at most 1, but {alpha} was given."));
        }

        _alpha = alpha;
    }

    /// <summary>The step as it is read.</summary>
    public string Text => "mixup:" + _alpha.ToString(CultureInfo.InvariantCulture);

    /// <summary>How much of a sample stays, 0 to 1.</summary>
    /// <remarks>
    /// Jöhnk's method (1964): for uniform u and v, x = u^(1/alpha) and y = v^(1/alpha), taken anew until x + y is at most 1, x / (x + y) is
    /// Beta(alpha, alpha). In logarithms, since powers of a small alpha are below what a double holds.
    /// </remarks>
    public float Weight(CounterRandom random)
    {
        while (true)
        {
            var x = PortableMath.Log2(1 - random.Unit()) / _alpha;
            var y = PortableMath.Log2(1 - random.Unit()) / _alpha;
            if (PortableMath.Exp2(x) + PortableMath.Exp2(y) <= 1)
                return (float)(x > y ? 1 / (1 + PortableMath.Exp2(y - x)) : 1 - (1 / (1 + PortableMath.Exp2(x - y))));
        }
    }

    /// <summary>Mixes two pictures, each of which gives the other what it does not keep.</summary>
    /// <param name="a">A picture.</param>
    /// <param name="keptOfA">Its weight.</param>
    /// <param name="b">Another picture.</param>
    /// <param name="keptOfB">Its weight.</param>
    /// <param name="copy">Memory as large as a picture.</param>
    public static void Mix(Span<float> a, float keptOfA, Span<float> b, float keptOfB, Span<float> copy)
    {
        a.CopyTo(copy);
        TensorPrimitives.Multiply(a, keptOfA, a);
        TensorPrimitives.MultiplyAdd(b, 1 - keptOfA, a, a);
        TensorPrimitives.Multiply(b, keptOfB, b);
        TensorPrimitives.MultiplyAdd(copy, 1 - keptOfB, b, b);
    }
}
