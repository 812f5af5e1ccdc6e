using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>How a kernel is applied to a picture.</summary>
/// <remarks>output = round(Scale * sum + Offset), rounded once, half to even, and saturated; floats are not rounded.</remarks>
public sealed record FilterOptions
{
    /// <summary>Correlation with reflect-101 borders, scale 1, offset 0, alpha kept, the cheapest exact plan, all processors.</summary>
    public static FilterOptions Default { get; } = new();

    /// <summary>What is read beyond the edge.</summary>
    public BorderMode Border { get; init; } = BorderMode.Reflect101;

    /// <summary>The border's value where <see cref="Border"/> is constant; it must be a value that the pixel type has.</summary>
    public double ConstantValue { get; init; }

    /// <summary>
    /// Whether the kernel is flipped first: true convolution, as scipy.ndimage.convolve, even sizes included. Off: correlation,
    /// y[i,j] = sum over u,v of x[i + u - kH/2, j + v - kW/2] * k[u,v], as OpenCV's filter2D and scipy.ndimage.correlate.
    /// </summary>
    public bool Convolve { get; init; }

    /// <summary>Whether alpha, the last of 2 or 4 channels, is filtered like the others; off: it is copied.</summary>
    /// <remarks>
    /// In both cases colours weigh as much as they are seen, so that those under transparent pixels do not bleed into visible ones: with
    /// colours x, alphas a of 0 to 1 and S the sum of the kernel k, the colour is P + m * (S - W), P = sum a*x*k, W = sum a*k, m = sum
    /// a*x*|k| / sum a*|k|. Without negative numbers in the kernel that is S * P/W: what premultiplied colours give, divided by filtered
    /// alpha. An opaque picture is filtered channel by channel, and so is any by a kernel of a single number that leaves colours at their
    /// alpha, such as the identity. A constant border is opaque; where alpha is filtered, the constant is its alpha too.
    /// </remarks>
    public bool FilterAlpha { get; init; }

    /// <summary>Multiplies every sum.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Added to every scaled sum, in pixel steps.</summary>
    public double Offset { get; init; }

    /// <summary>The most threads used, 1 to 1024. The result does not depend on it.</summary>
    public int Threads { get; init; } = WorkerPool.DefaultThreads;

    /// <summary>Which plan is used; the cheapest one by default.</summary>
    public FilterPlanChoice Plan { get; init; } = FilterPlanChoice.Auto;

    /// <summary>
    /// The largest error, in pixel steps, that an automatic plan may make by dropping terms: 0 (the default) keeps all.
    /// For floats it holds where pixels lie between -1 and 1.
    /// </summary>
    public double MaxError { get; init; }

    internal void Check(ElementType type)
    {
        if (!Enum.IsDefined(Border))
        {
            throw new ArgumentException(
                $"The border mode {(int)Border} is unknown; use one of {string.Join(", ", Enum.GetNames<BorderMode>())}.");
        }

        if (!double.IsFinite(Scale) || !double.IsFinite(Offset))
            throw new ArgumentException($"The scale is {Scale} and the offset {Offset}; both must be finite.");
        WorkerPool.CheckThreads(Threads);
        if (!(MaxError >= 0))
            throw new ArgumentException($"The largest error is {MaxError}; it must be 0 (exact) or more.");
        if (Border != BorderMode.Constant)
            return;

        var largest = new ImageShape(1, 1, 1, type).MaxValue;
        if (type != ElementType.Float32 && !(ConstantValue >= 0 && ConstantValue <= largest && ConstantValue == Math.Floor(ConstantValue)))
        {
            throw new ArgumentException(
                $"The border's constant is {ConstantValue} but pixels are {type}; use a whole number from 0 to {largest}.");
        }
    }
}

/// <summary>What a filter reads beyond the edge of an image; each rule is shown for the row a..h.</summary>
/// <remarks>All of them are defined however far the kernel reaches, for an image of a single pixel too.</remarks>
public enum BorderMode
{
    /// <summary>dcb|abcdefgh|gfe: mirrored about the middle of the edge pixel. OpenCV's default, SciPy's <c>mirror</c>.</summary>
    Reflect101,

    /// <summary>cba|abcdefgh|hgf: mirrored about the edge itself. SciPy's <c>reflect</c>.</summary>
    Reflect,

    /// <summary>aaa|abcdefgh|hhh: the edge pixel repeated. SciPy's <c>nearest</c>.</summary>
    Replicate,

    /// <summary>fgh|abcdefgh|abc: the image repeated.</summary>
    Wrap,

    /// <summary>vvv|abcdefgh|vvv: one value, <see cref="FilterOptions.ConstantValue"/>, 0 by default.</summary>
    Constant,
}
