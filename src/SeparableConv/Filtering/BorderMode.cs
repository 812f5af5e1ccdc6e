namespace SeparableConv;

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
