using SeparableConv.Networks.Operators;

namespace SeparableConv.Training;

/// <summary>How parameters follow their gradients. The formulas are PyTorch's of the same name.</summary>
/// <remarks>
/// Weight decay and <see cref="L1"/> shrink kernels and matrices alone: biases, the scales and shifts of normalizations and the slopes of
/// activations have one dimension and are left as they are. Neither is part of the loss that a training reports, which is that of the
/// data, nor of the norm at which gradients are clipped: both are added behind that.
/// </remarks>
public sealed record Optimizer
{
    private Optimizer(OptimizerRule rule, double rate, double weightDecay)
    {
        Positive(rate, "learning rate");
        NotNegative(weightDecay, "weight decay");
        (Rule, LearningRate, WeightDecay) = (rule, rate, weightDecay);
    }

    /// <summary>The rate that a schedule multiplies.</summary>
    public double LearningRate { get; init; }

    /// <summary>The share of a weight that is taken from it, times the rate, in each step.</summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// Draws small weights to 0: g = g + L1*sign(p), sign(0) = 0, for every optimizer, AdamW too. It is the gradient of Keras's
    /// <c>regularizers.L1(L1)</c>, as weight decay, where it is part of the gradient, is that of <c>regularizers.L2(WeightDecay / 2)</c>.
    /// 0, for none, by default.
    /// </summary>
    /// <exception cref="ArgumentException">It is negative or no number.</exception>
    public double L1
    {
        get;
        init
        {
            NotNegative(value, nameof(L1));
            field = value;
        }
    }

    internal OptimizerRule Rule { get; }

    /// <summary>
    /// Gradient descent: v = momentum*v + g, p = p - rate*v; with Nesterov p = p - rate*(g + momentum*v).
    /// </summary>
    /// <param name="learningRate">The rate.</param>
    /// <param name="momentum">The share of the last step that goes on, 0 to 1.</param>
    /// <param name="nesterov">Whether each step looks ahead by the momentum.</param>
    /// <param name="weightDecay">g = g + weightDecay*p.</param>
    /// <returns>The optimizer.</returns>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static Optimizer Sgd(double learningRate = 0.1, double momentum = 0.9, bool nesterov = false, double weightDecay = 0)
    {
        Share(momentum, "momentum");
        return new(new(OptimizerKind.Sgd, (float)momentum, nesterov, 0, 0, 0, IsDecoupled: false), learningRate, weightDecay);
    }

    /// <summary>
    /// m = b1*m + (1 - b1)*g, v = b2*v + (1 - b2)*g^2, p = p - rate * m/(1 - b1^t) / (sqrt(v/(1 - b2^t)) + epsilon). D. Kingma and J. Ba,
    /// 2015.
    /// </summary>
    /// <param name="learningRate">The rate.</param>
    /// <param name="beta1">The share of the mean that stays.</param>
    /// <param name="beta2">The share of the mean square that stays.</param>
    /// <param name="epsilon">Keeps the quotient finite.</param>
    /// <param name="weightDecay">g = g + weightDecay*p.</param>
    /// <returns>The optimizer.</returns>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static Optimizer Adam(
        double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0) =>
        Adam(learningRate, beta1, beta2, epsilon, weightDecay, isDecoupled: false);

    /// <summary>
    /// Adam whose weight decay shrinks the weights themselves: p = p - rate*weightDecay*p. I. Loshchilov and F. Hutter, 2019.
    /// </summary>
    /// <param name="learningRate">The rate.</param>
    /// <param name="beta1">The share of the mean that stays.</param>
    /// <param name="beta2">The share of the mean square that stays.</param>
    /// <param name="epsilon">Keeps the quotient finite.</param>
    /// <param name="weightDecay">The decay.</param>
    /// <returns>The optimizer.</returns>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static Optimizer AdamW(
        double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 1e-2) =>
        Adam(learningRate, beta1, beta2, epsilon, weightDecay, isDecoupled: true);

    /// <summary>v = a*v + (1 - a)*g^2, p = p - rate * g/(sqrt(v) + epsilon), the quotient with momentum where that is not 0.</summary>
    /// <param name="learningRate">The rate.</param>
    /// <param name="alpha">The share of the mean square that stays.</param>
    /// <param name="momentum">The share of the last step that goes on.</param>
    /// <param name="epsilon">Keeps the quotient finite.</param>
    /// <param name="weightDecay">g = g + weightDecay*p.</param>
    /// <returns>The optimizer.</returns>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static Optimizer RmsProp(
        double learningRate = 1e-2, double alpha = 0.99, double momentum = 0, double epsilon = 1e-8, double weightDecay = 0)
    {
        Share(alpha, "alpha");
        Share(momentum, "momentum");
        Positive(epsilon, "epsilon");
        return new(
            new(OptimizerKind.RmsProp, (float)momentum, false, 0, (float)alpha, (float)epsilon, IsDecoupled: false),
            learningRate,
            weightDecay);
    }

    /// <summary>The rule and all its numbers, the same in every language.</summary>
    /// <returns>For example <c>SGD (rate 0.1, momentum 0.9, weight decay 0)</c>.</returns>
    public override string ToString()
    {
        var (name, numbers) = Rule.Kind switch
        {
            OptimizerKind.Sgd => (Rule.IsNesterov ? "Nesterov" : "SGD", FormattableString.Invariant($"momentum {Rule.Momentum}")),
            OptimizerKind.Adam => (
                Rule.IsDecoupled ? "AdamW" : "Adam",
                FormattableString.Invariant($"beta1 {Rule.Beta1}, beta2 {Rule.Beta2}, epsilon {Rule.Epsilon}")),
            _ => ("RMSprop", FormattableString.Invariant($"alpha {Rule.Beta2}, momentum {Rule.Momentum}, epsilon {Rule.Epsilon}")),
        };

        // Checkpoints are told apart by this text: without L1 it is that of before there was one.
        var l1 = L1 == 0 ? "" : FormattableString.Invariant($", L1 {L1}");
        return FormattableString.Invariant($"{name} (rate {LearningRate}, {numbers}, weight decay {WeightDecay}{l1})");
    }

    private static Optimizer Adam(double rate, double beta1, double beta2, double epsilon, double weightDecay, bool isDecoupled)
    {
        Share(beta1, "beta1");
        Share(beta2, "beta2");
        Positive(epsilon, "epsilon");
        return new(
            new(OptimizerKind.Adam, 0, false, (float)beta1, (float)beta2, (float)epsilon, isDecoupled), rate, weightDecay);
    }

    private static void Share(double value, string what)
    {
        if (!(value is >= 0 and < 1))
            throw new ArgumentException(FormattableString.Invariant($"The {what} is {value}; give a number from 0 up to and without 1."));
    }

    private static void Positive(double value, string what)
    {
        if (!(value > 0 && double.IsFinite(value)))
            throw new ArgumentException(FormattableString.Invariant($"The {what} is {value}; give a number above 0."));
    }

    private static void NotNegative(double value, string what)
    {
        if (!(value >= 0 && double.IsFinite(value)))
            throw new ArgumentException(FormattableString.Invariant($"The {what} is {value}; give 0 or more."));
    }
}
