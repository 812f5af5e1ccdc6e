using System.Diagnostics;
using System.Globalization;
using SeparableConv.Activations;
using SeparableConv.Loops;

namespace SeparableConv;

/// <summary>
/// The function that a convolution applies to its output, after the bias and in the same pass over memory.
/// </summary>
/// <remarks>
/// Unless a member says otherwise, NaN gives NaN. <see cref="ReLU"/> and its kin are two machine instructions (maximum, then
/// minimum, the value as the second operand), which on x86 keep NaN as well and may give -0 for -0. The exponential in
/// <see cref="Sigmoid"/>, <see cref="Tanh"/>, <see cref="ELU"/>, <see cref="Softmax"/> and their kin is the library's own, within 2
/// units in the last place over the whole range of <see cref="float"/>, denormal results included.
/// </remarks>
public sealed unsafe class Activation
{
    private readonly ActivationKind _kind;
    private readonly float _alpha;
    private readonly float _beta;
    private readonly PackedBuffer? _slopes;

    private Activation(
        ActivationKind kind,
        float alpha = 0,
        float beta = 0,
        float lower = float.NegativeInfinity,
        float upper = float.PositiveInfinity,
        PackedBuffer? slopes = null)
    {
        _kind = kind;
        _alpha = alpha;
        _beta = beta;
        _slopes = slopes;
        LowerBound = lower;
        UpperBound = upper;
    }

    /// <summary>y = x.</summary>
    public static Activation None { get; } = new(ActivationKind.Clamp);

    /// <summary>y = max(0, x).</summary>
    public static Activation ReLU { get; } = new(ActivationKind.Clamp, lower: 0);

    /// <summary>y = min(6, max(0, x)).</summary>
    public static Activation ReLU6 { get; } = new(ActivationKind.Clamp, lower: 0, upper: 6);

    /// <summary>y = x * min(1, max(0, x/6 + 1/2)); 0 for minus infinity.</summary>
    public static Activation HardSwish { get; } = new(ActivationKind.HardSwish);

    /// <summary>y = 1 / (1 + e^-x).</summary>
    public static Activation Sigmoid { get; } = new(ActivationKind.Sigmoid);

    /// <summary>y = (e^x - e^-x) / (e^x + e^-x).</summary>
    public static Activation Tanh { get; } = new(ActivationKind.Tanh);

    /// <summary>
    /// y_c = e^(x_c - m) / sum over k of e^(x_k - m), where m is the largest of the pixel's channels. A pixel with a NaN, with
    /// plus infinity, or with nothing but minus infinity gives NaN in all its channels.
    /// </summary>
    public static Activation Softmax { get; } = new(ActivationKind.Softmax);

    /// <summary>
    /// The Gaussian error linear unit: y = x * (1 + erf(x/sqrt(2))) / 2; 0 for minus infinity.
    /// </summary>
    public static Activation GELU { get; } = new(ActivationKind.GELU);

    /// <summary>
    /// The common approximation of <see cref="GELU"/>: y = x * (1 + tanh(sqrt(2/pi) * (x + 0.044715x^3))) / 2; 0 for minus infinity.
    /// </summary>
    public static Activation GELUTanh { get; } = new(ActivationKind.GELUTanh);

    /// <summary>y = x * tanh(log(1 + e^x)); 0 for minus infinity.</summary>
    public static Activation Mish { get; } = new(ActivationKind.Mish);

    /// <summary>The least value the loop lets through; minus infinity where there is none.</summary>
    internal float LowerBound { get; }

    /// <summary>The greatest value the loop lets through; plus infinity where there is none.</summary>
    internal float UpperBound { get; }

    /// <summary>Whether the function leaves every value as it is.</summary>
    internal bool IsNone => IsClamp && float.IsNegativeInfinity(LowerBound) && float.IsPositiveInfinity(UpperBound);

    /// <summary>Whether the two bounds are the whole function, so that nothing is left to do after the loop's clamp.</summary>
    internal bool IsClamp => _kind == ActivationKind.Clamp;

    /// <summary>Whether it is <see cref="HardSwish"/>.</summary>
    internal bool IsHardSwish => _kind == ActivationKind.HardSwish;

    /// <summary>Whether loops that can do a function on their sums in registers do this one: bounds, and the hard swish.</summary>
    internal bool IsInRegisters => IsClamp || IsHardSwish;

    /// <summary>Whether a channel's result depends on the pixel's other channels, so that all of them must be there first.</summary>
    internal bool NeedsAllChannels => _kind == ActivationKind.Softmax;

    /// <summary>Which function it is, and its parameters but for the two bounds.</summary>
    internal (ActivationKind Kind, float Alpha, float Beta) Function => (_kind, _alpha, _beta);

    /// <summary>PReLU's slopes, one a channel; none for another function.</summary>
    internal ReadOnlySpan<float> Slopes => _slopes is null ? default : _slopes.Span[..(int)_slopes.Length];

    /// <summary>Whether the function's gradient follows from its output and not from its input.</summary>
    internal bool GradientReadsOutput => _kind is ActivationKind.HardSigmoid or ActivationKind.Sigmoid or ActivationKind.Tanh;

    /// <summary>The number of channels that the parameters were given for; 0 where any number will do.</summary>
    internal int RequiredChannels => _slopes is { Length: > 1 } ? (int)_slopes.Length : 0;

    /// <summary>y = min(maximum, max(minimum, x)).</summary>
    /// <param name="minimum">The least value; minus infinity for none.</param>
    /// <param name="maximum">The greatest value; plus infinity for none.</param>
    /// <returns>The function.</returns>
    /// <exception cref="ArgumentException">A bound is NaN, or the minimum is above the maximum.</exception>
    public static Activation Clip(float minimum, float maximum)
    {
        // Written so that a NaN on either side fails it.
        if (!(minimum <= maximum))
        {
            throw new ArgumentException(Message(
                $"Clip has minimum {minimum} and maximum {maximum}; the minimum must be a number no greater than the maximum."));
        }

        return new(ActivationKind.Clamp, lower: minimum, upper: maximum);
    }

    /// <summary>y = x where x is 0 or more, alpha*x below.</summary>
    /// <param name="alpha">The slope below 0. The default is ONNX's and PyTorch's 0.01; Keras's is 0.3.</param>
    /// <returns>The function.</returns>
    /// <exception cref="ArgumentException">The slope is not finite.</exception>
    public static Activation LeakyReLU(float alpha = 0.01f) => new(ActivationKind.LeakyReLU, CheckFinite(alpha, "LeakyReLU", "alpha"));

    /// <summary>y = x where x is 0 or more, alpha*(e^x - 1) below.</summary>
    /// <param name="alpha">The size of the limit at minus infinity; 1 in ONNX, PyTorch and Keras.</param>
    /// <returns>The function.</returns>
    /// <exception cref="ArgumentException">Alpha is not finite.</exception>
    public static Activation ELU(float alpha = 1f) => new(ActivationKind.ELU, CheckFinite(alpha, "ELU", "alpha"));

    /// <summary>y = x / (1 + e^(-beta*x)), with a beta of 1 the sigmoid linear unit, SiLU; 0 where beta*x is minus infinity.</summary>
    /// <param name="beta">How steep the sigmoid is; 1 in Keras and PyTorch.</param>
    /// <returns>The function.</returns>
    /// <exception cref="ArgumentException">Beta is not finite.</exception>
    public static Activation Swish(float beta = 1f) => new(ActivationKind.Swish, CheckFinite(beta, "Swish", "beta"));

    /// <summary>y = min(1, max(0, alpha*x + beta)).</summary>
    /// <param name="alpha">The slope. The default is ONNX's 0.2; Keras 3 and PyTorch use 1/6.</param>
    /// <param name="beta">The value at 0; 0.5 everywhere.</param>
    /// <returns>The function.</returns>
    /// <exception cref="ArgumentException">A parameter is not finite.</exception>
    public static Activation HardSigmoid(float alpha = 0.2f, float beta = 0.5f) =>
        new(ActivationKind.HardSigmoid, CheckFinite(alpha, "HardSigmoid", "alpha"), CheckFinite(beta, "HardSigmoid", "beta"));

    /// <summary>y_c = x_c where x_c is 0 or more, slopes_c*x_c below.</summary>
    /// <param name="slopes">One slope a channel, or a single one for all of them.</param>
    /// <returns>The function.</returns>
    /// <exception cref="ArgumentException">There are no slopes, or one is not finite.</exception>
    public static Activation PReLU(ReadOnlySpan<float> slopes)
    {
        if (slopes.IsEmpty)
            throw new ArgumentException("PReLU has 0 slopes; give one a channel, or a single one for all channels.");
        foreach (var slope in slopes)
            CheckFinite(slope, "PReLU", "slope");
        if (slopes.Length == 1)
            return new(ActivationKind.LeakyReLU, slopes[0]);

        var copy = new PackedBuffer(slopes.Length);
        slopes.CopyTo(copy.Span);
        return new(ActivationKind.PReLU, slopes: copy);
    }

    /// <summary>
    /// Applies the part of the function that is no clamp, in place, to <paramref name="pixels"/> rows of <paramref name="channels"/>
    /// floats that begin <paramref name="pixelStride"/> floats apart. Does nothing where <see cref="IsClamp"/>: the loop has clamped.
    /// </summary>
    /// <remarks>The first float of a row is channel <paramref name="firstChannel"/>: PReLU's slopes are looked up by it.</remarks>
    internal void ApplyRows(float* data, nint pixels, int channels, nint pixelStride, int firstChannel, SimdWidth width)
    {
        var rows = new ActivationRows(data, pixels, channels, pixelStride);
        switch (_kind)
        {
            case ActivationKind.Clamp:
                break;
            case ActivationKind.LeakyReLU:
                rows.ForEach(new LeakyReLUFunction(_alpha), width);
                break;
            case ActivationKind.PReLU:
                PReLURows.Apply(rows, _slopes!.Pointer + firstChannel, width);
                GC.KeepAlive(this);
                break;
            case ActivationKind.ELU:
                rows.ForEach(new ELUFunction(_alpha), width);
                break;
            case ActivationKind.HardSwish:
                rows.ForEach(default(HardSwishFunction), width);
                break;
            case ActivationKind.HardSigmoid:
                rows.ForEach(new HardSigmoidFunction(_alpha, _beta), width);
                break;
            case ActivationKind.Sigmoid:
                rows.ForEach(default(SigmoidFunction), width);
                break;
            case ActivationKind.Tanh:
                rows.ForEach(default(TanhFunction), width);
                break;
            case ActivationKind.Softmax:
                SoftmaxRows.Apply(rows, width);
                break;
            case ActivationKind.GELU:
                rows.ForEach(default(GELUFunction), width);
                break;
            case ActivationKind.GELUTanh:
                rows.ForEach(default(GELUTanhFunction), width);
                break;
            case ActivationKind.Swish:
                rows.ForEach(new SwishFunction(_alpha), width);
                break;
            case ActivationKind.Mish:
                rows.ForEach(default(MishFunction), width);
                break;
            default:
                throw new UnreachableException($"The function {_kind} is missing here.");
        }
    }

    /// <summary>
    /// Applies the whole function, its bounds included, in place to <paramref name="pixels"/> rows of <paramref name="channels"/>
    /// floats without gaps. For an activation that is a layer of its own.
    /// </summary>
    internal void Apply(float* data, nint pixels, int channels, SimdWidth width)
    {
        if (IsClamp && !IsNone)
            new ActivationRows(data, pixels, channels, channels).ForEach(new ClampFunction(LowerBound, UpperBound), width);
        else
            ApplyRows(data, pixels, channels, channels, 0, width);
    }

    /// <summary>
    /// Computes the gradient dx of the function's input from that of its output, dy, and from the input or the output, whichever
    /// <see cref="GradientReadsOutput"/> says: <paramref name="pixels"/> rows of <paramref name="channels"/> floats each, without gaps.
    /// Not for a clamp or for softmax, whose gradients are not of this form.
    /// </summary>
    internal void ApplyGradient(float* dy, float* value, float* dx, nint pixels, int channels, SimdWidth width)
    {
        var rows = new GradientRows(dy, value, dx, pixels, channels);
        switch (_kind)
        {
            case ActivationKind.LeakyReLU:
                rows.ForEach(new LeakyReLUGradient(_alpha), width);
                break;
            case ActivationKind.PReLU:
                rows.ForSlopes(_slopes!.Pointer, width);
                GC.KeepAlive(this);
                break;
            case ActivationKind.ELU:
                rows.ForEach(new ELUGradient(_alpha), width);
                break;
            case ActivationKind.HardSwish:
                rows.ForEach(default(HardSwishGradient), width);
                break;
            case ActivationKind.HardSigmoid:
                rows.ForEach(new HardSigmoidGradient(_alpha), width);
                break;
            case ActivationKind.Sigmoid:
                rows.ForEach(default(SigmoidGradient), width);
                break;
            case ActivationKind.Tanh:
                rows.ForEach(default(TanhGradient), width);
                break;
            case ActivationKind.GELU:
                rows.ForEach(default(GELUGradient), width);
                break;
            case ActivationKind.GELUTanh:
                rows.ForEach(default(GELUTanhGradient), width);
                break;
            case ActivationKind.Swish:
                rows.ForEach(new SwishGradient(_alpha), width);
                break;
            case ActivationKind.Mish:
                rows.ForEach(default(MishGradient), width);
                break;
            default:
                throw new UnreachableException($"The gradient of {_kind} is missing here.");
        }
    }

    /// <summary>For example <c>relu6</c>, <c>clip(0, 1)</c> or <c>elu(1)</c>.</summary>
    /// <returns>The function in words.</returns>
    public override string ToString() => _kind switch
    {
        ActivationKind.Clamp => (LowerBound, UpperBound) switch
        {
            (float.NegativeInfinity, float.PositiveInfinity) => "none",
            (0, float.PositiveInfinity) => "relu",
            (0, 6) => "relu6",
            _ => Message($"clip({LowerBound}, {UpperBound})"),
        },
        ActivationKind.LeakyReLU => Message($"leaky_relu({_alpha})"),
        ActivationKind.PReLU => Message($"prelu({_slopes!.Length} slopes)"),
        ActivationKind.ELU => Message($"elu({_alpha})"),
        ActivationKind.HardSwish => "hard_swish",
        ActivationKind.HardSigmoid => Message($"hard_sigmoid({_alpha}, {_beta})"),
        ActivationKind.Sigmoid => "sigmoid",
        ActivationKind.Tanh => "tanh",
        ActivationKind.Softmax => "softmax",
        ActivationKind.GELU => "gelu",
        ActivationKind.GELUTanh => "gelu_tanh",
        ActivationKind.Swish => _alpha == 1 ? "silu" : Message($"swish({_alpha})"),
        ActivationKind.Mish => "mish",
        _ => throw new UnreachableException($"The name of {_kind} is missing here."),
    };

    private static float CheckFinite(float value, string function, string parameter) => float.IsFinite(value)
        ? value
        : throw new ArgumentException(Message($"{function} has {parameter} {value}; it must be a finite number."));

    private static string Message(FormattableString message) => message.ToString(CultureInfo.InvariantCulture);
}
