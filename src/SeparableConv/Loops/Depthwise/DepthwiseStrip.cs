using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>What the JIT knows of a sliding depthwise loop: each implementation is a loop of its own, without these branches.</summary>
internal interface IDepthwiseOptions
{
    /// <summary>Whether two output rows are made at once, or one.</summary>
    static abstract bool TwoRows { get; }

    /// <summary>Whether the activation has bounds.</summary>
    static abstract bool Clamp { get; }

    /// <summary>Whether the activation is the hard swish.</summary>
    static abstract bool Swish { get; }
}

internal readonly struct TwoRowsClamped : IDepthwiseOptions
{
    public static bool TwoRows => true;

    public static bool Clamp => true;

    public static bool Swish => false;
}

internal readonly struct TwoRowsSwish : IDepthwiseOptions
{
    public static bool TwoRows => true;

    public static bool Clamp => false;

    public static bool Swish => true;
}

internal readonly struct TwoRowsFree : IDepthwiseOptions
{
    public static bool TwoRows => true;

    public static bool Clamp => false;

    public static bool Swish => false;
}

internal readonly struct OneRowClamped : IDepthwiseOptions
{
    public static bool TwoRows => false;

    public static bool Clamp => true;

    public static bool Swish => false;
}

internal readonly struct OneRowSwish : IDepthwiseOptions
{
    public static bool TwoRows => false;

    public static bool Clamp => false;

    public static bool Swish => true;
}

internal readonly struct OneRowFree : IDepthwiseOptions
{
    public static bool TwoRows => false;

    public static bool Clamp => false;

    public static bool Swish => false;
}

/// <summary>One or two output rows of some channels: what one call of a sliding depthwise loop works on. Strides are in floats.</summary>
internal unsafe struct DepthwiseStrip
{
    /// <summary>The most input rows that two output rows reach: 5x5, stride 2.</summary>
    public const int MaxRows = 7;

    /// <summary>The input rows from top to bottom, each at its first pixel; a row outside the image points to zeros.</summary>
    public float** Rows;

    public nint PixelStride;

    /// <summary>The upper output row's first pixel.</summary>
    public float* OutA;

    /// <summary>The lower output row's first pixel, where there are two.</summary>
    public float* OutB;

    public nint OutPixelStride;

    /// <summary>[vector][tap][lane].</summary>
    public float* Weights;

    /// <summary>[vector][lane].</summary>
    public float* Bias;

    /// <summary>What each vector reads, where channels are mapped.</summary>
    public DepthwiseSource* Sources;

    /// <summary>[vector][lane]: see <see cref="DepthwiseSources.Lanes"/>.</summary>
    public float* Lanes;

    public int FirstVector;
    public int EndVector;

    /// <summary>Channels of the output.</summary>
    public int Channels;

    public int InColumns;

    /// <summary>Columns of zeros left of the image.</summary>
    public int PadBefore;

    /// <summary>
    /// A step reads as many columns as the stride and finishes one pixel of each output row, the first pixel at step (side - 1)/stride,
    /// when its last column has come. A row is cut into runs of steps, so that all its channels are dealt with while its pixels are in
    /// the cache.
    /// </summary>
    public int FirstStep;

    public int EndStep;

    /// <summary>Where in a row the first step's first column inside the image begins.</summary>
    public nint Offset;

    /// <summary>The sums under way between one run of steps and the next: [vector][sum][lane].</summary>
    public float* State;

    /// <summary>Floats of a vector's sums there.</summary>
    public nint VectorState;

    /// <summary>Whether the sums go on from <see cref="State"/>, because there was a run before.</summary>
    public bool Resume;

    /// <summary>Whether the sums go to <see cref="State"/>, because there is a run to follow.</summary>
    public bool Suspend;

    public float Lower;
    public float Upper;

    /// <summary>The channel of a vector's first lane. The last vector ends with the last channel; it may overlap the one before.</summary>
    public readonly int FirstChannel(int vector, int lanes) => Math.Min(vector * lanes, Channels - lanes);

    /// <summary>What becomes of a sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVec Finish<TSimd, TVec, TOptions>(TVec sum, TVec lower, TVec upper)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOptions : struct, IDepthwiseOptions
    {
        if (TOptions.Clamp)
            return TSimd.Min(upper, TSimd.Max(lower, sum));
        return TOptions.Swish ? TSimd.HardSwish(sum) : sum;
    }

    /// <summary>One tap of both output rows; its weight is held in a register where there are enough of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Tap<TSimd, TVec, TOptions>(TVec held, float* weights, int tap, TVec upper, TVec lower, ref TVec a, ref TVec b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOptions : struct, IDepthwiseOptions
    {
        var weight = TSimd.ManyRegisters ? held : TSimd.Load(weights + (tap * TSimd.Count));
        a = TSimd.MultiplyAdd(upper, weight, a);
        if (TOptions.TwoRows)
            b = TSimd.MultiplyAdd(lower, weight, b);
    }

    /// <summary>One tap of both output rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Tap<TSimd, TVec, TOptions>(float* weights, int tap, TVec upper, TVec lower, ref TVec a, ref TVec b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOptions : struct, IDepthwiseOptions
    {
        var weight = TSimd.Load(weights + (tap * TSimd.Count));
        a = TSimd.MultiplyAdd(upper, weight, a);
        if (TOptions.TwoRows)
            b = TSimd.MultiplyAdd(lower, weight, b);
    }
}
