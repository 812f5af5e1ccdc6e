namespace SeparableConv.Networks.Operators;

/// <summary>What is put around a tensor; each rule is shown for the row a..h.</summary>
internal enum PadMode
{
    /// <summary>vvv|abcdefgh|vvv: one value.</summary>
    Constant,

    /// <summary>dcb|abcdefgh|gfe: mirrored about the middle of the edge element, again and again where more is asked for.</summary>
    Reflect,

    /// <summary>aaa|abcdefgh|hhh: the edge element repeated.</summary>
    Edge,

    /// <summary>fgh|abcdefgh|abc: the row repeated.</summary>
    Wrap,
}
