using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>
/// How a depthwise loop gets a vector of the input channels that its output channels read. The JIT makes a loop of its own for each
/// implementation, so that one whose channels are not mapped has nothing but loads.
/// </summary>
internal interface IDepthwiseReads
{
    /// <summary>Whether output channels read others than their own, as <see cref="DepthwiseSource"/> says.</summary>
    static abstract bool IsMapped { get; }

    /// <summary>What <see cref="Load"/> takes, from the numbers of a vector's lanes.</summary>
    static abstract unsafe TVec Lanes<TSimd, TVec>(float* numbers)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;

    /// <summary>Reads a vector at a pixel's first channel of <see cref="DepthwiseSource.First"/>.</summary>
    static abstract unsafe TVec Load<TSimd, TVec>(float* source, TVec lanes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>Every output channel reads its own input channel.</summary>
internal readonly struct ReadsItsOwn : IDepthwiseReads
{
    public static bool IsMapped => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Lanes<TSimd, TVec>(float* numbers)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Load<TSimd, TVec>(float* source, TVec lanes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Load(source);
}

/// <summary><see cref="DepthwiseReads.One"/>.</summary>
internal readonly struct ReadsOne : IDepthwiseReads
{
    public static bool IsMapped => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Lanes<TSimd, TVec>(float* numbers)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.LoadLanes(numbers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Load<TSimd, TVec>(float* source, TVec lanes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Permute(TSimd.Load(source), lanes);
}

/// <summary><see cref="DepthwiseReads.Two"/>.</summary>
internal readonly struct ReadsTwo : IDepthwiseReads
{
    public static bool IsMapped => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Lanes<TSimd, TVec>(float* numbers)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.LoadLanes(numbers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Load<TSimd, TVec>(float* source, TVec lanes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Permute(TSimd.Load(source), TSimd.Load(source + TSimd.Count), lanes);
}

/// <summary><see cref="DepthwiseReads.Each"/>.</summary>
internal readonly struct ReadsEach : IDepthwiseReads
{
    public static bool IsMapped => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Lanes<TSimd, TVec>(float* numbers)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Load(numbers);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe TVec Load<TSimd, TVec>(float* source, TVec lanes)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => TSimd.Gather(source, lanes);
}
