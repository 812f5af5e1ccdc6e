using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

internal readonly partial struct Simd128
{
    /// <summary>Numbers of lanes; where the machine only permutes bytes, those of the bytes in each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector128<float> LoadLanes(float* source)
    {
        var lanes = Vector128.Load((int*)source);
        return Avx.IsSupported
            ? (lanes | Vector128.ShiftLeft(lanes, 29)).AsSingle()
            : ((lanes * 0x04040404) + Vector128.Create(0x03020100)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Permute(Vector128<float> a, Vector128<float> lanes) => Avx.IsSupported
        ? Avx.PermuteVar(a, lanes.AsInt32())
        : Vector128.Shuffle(a.AsByte(), lanes.AsByte()).AsSingle();

    // AVX takes a lane's number from its lowest bits and chooses by its highest, where LoadLanes has put the bit between.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Permute(Vector128<float> a, Vector128<float> b, Vector128<float> lanes)
    {
        if (Avx512F.VL.IsSupported)
            return Avx512F.VL.PermuteVar4x32x2(a, lanes.AsInt32(), b);
        if (Avx.IsSupported)
            return Sse41.BlendVariable(Avx.PermuteVar(a, lanes.AsInt32()), Avx.PermuteVar(b, lanes.AsInt32()), lanes);
        var (low, high) = (lanes.AsByte(), lanes.AsByte() - Vector128.Create((byte)16));
        return (Vector128.Shuffle(a.AsByte(), low) | Vector128.Shuffle(b.AsByte(), high)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector128<float> Gather(float* source, Vector128<float> offsets)
    {
        var at = offsets.AsInt32();
        return Avx2.IsSupported
            ? Avx2.GatherVector128(source, at, sizeof(float))
            : Vector128.Create(source[at[0]], source[at[1]], source[at[2]], source[at[3]]);
    }
}

internal readonly partial struct Simd256
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> LoadLanes(float* source)
    {
        var lanes = Vector256.Load((int*)source);
        return Avx2.IsSupported ? (lanes | Vector256.ShiftLeft(lanes, 28)).AsSingle() : lanes.AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Permute(Vector256<float> a, Vector256<float> lanes) => Avx2.IsSupported
        ? Avx2.PermuteVar8x32(a, lanes.AsInt32())
        : Vector256.Shuffle(a, lanes.AsInt32());

    // AVX takes a lane's number from its lowest bits and chooses by its highest, where LoadLanes has put the bit between.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Permute(Vector256<float> a, Vector256<float> b, Vector256<float> lanes)
    {
        if (Avx512F.VL.IsSupported)
            return Avx512F.VL.PermuteVar8x32x2(a, lanes.AsInt32(), b);
        if (Avx2.IsSupported)
            return Avx.BlendVariable(Avx2.PermuteVar8x32(a, lanes.AsInt32()), Avx2.PermuteVar8x32(b, lanes.AsInt32()), lanes);
        var (low, high) = (lanes.AsInt32(), lanes.AsInt32() - Vector256.Create(8));
        return (Vector256.Shuffle(a.AsInt32(), low) | Vector256.Shuffle(b.AsInt32(), high)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector256<float> Gather(float* source, Vector256<float> offsets) => Avx2.IsSupported
        ? Avx2.GatherVector256(source, offsets.AsInt32(), sizeof(float))
        : Vector256.Create(Simd128.Gather(source, offsets.GetLower()), Simd128.Gather(source, offsets.GetUpper()));
}

internal readonly partial struct Simd512
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> LoadLanes(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Permute(Vector512<float> a, Vector512<float> lanes) => Avx512F.IsSupported
        ? Avx512F.PermuteVar16x32(a, lanes.AsInt32())
        : Vector512.Shuffle(a, lanes.AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Permute(Vector512<float> a, Vector512<float> b, Vector512<float> lanes)
    {
        if (Avx512F.IsSupported)
            return Avx512F.PermuteVar16x32x2(a, lanes.AsInt32(), b);
        var (low, high) = (lanes.AsInt32(), lanes.AsInt32() - Vector512.Create(16));
        return (Vector512.Shuffle(a.AsInt32(), low) | Vector512.Shuffle(b.AsInt32(), high)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> Gather(float* source, Vector512<float> offsets) =>
        Vector512.Create(Simd256.Gather(source, offsets.GetLower()), Simd256.Gather(source, offsets.GetUpper()));
}

internal readonly partial struct SimdScalar
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float LoadLanes(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Permute(float a, float lanes) => a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Permute(float a, float b, float lanes) => BitConverter.SingleToInt32Bits(lanes) == 0 ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Gather(float* source, float offsets) => source[BitConverter.SingleToInt32Bits(offsets)];
}
