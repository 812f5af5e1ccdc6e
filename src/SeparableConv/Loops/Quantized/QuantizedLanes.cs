using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// The bytes of an input as the left operand of a <see cref="MatrixProduct"/> wants them, in lanes of 32 bits: two channels as 16-bit
/// numbers less the zero point, or four as unsigned bytes (signed ones plus 128), whose zero point the bias takes off.
/// </summary>
/// <param name="input">What the bytes are.</param>
/// <param name="kind"><see cref="LaneKind.ShortPair"/> or <see cref="LaneKind.ByteQuad"/>.</param>
internal readonly unsafe struct QuantizedLanes(QuantizedInput input, LaneKind kind)
{
    // Rows that begin in the same set of the first-level cache would push each other out of it.
    private const int SetAliasBytes = 4096;

    public LaneKind Kind => kind;

    /// <summary>Channels that a lane holds.</summary>
    public int ChannelsInLane => kind == LaneKind.ByteQuad ? 4 : 2;

    /// <summary>
    /// The number that stands for 0, which the border is filled with: 0 itself among 16-bit numbers, from which the zero point is taken.
    /// </summary>
    public int ZeroPoint => kind == LaneKind.ByteQuad ? input.IsSigned ? input.ZeroPoint + 128 : input.ZeroPoint : 0;

    /// <summary>The lanes that a pixel of so many channels takes.</summary>
    public int Lanes(int channels) => (channels + ChannelsInLane - 1) / ChannelsInLane;

    /// <summary>Whether pixels of so many channels can be read as lanes in place, without being copied.</summary>
    public bool AreInput(int channels) =>
        kind == LaneKind.ByteQuad && !input.IsSigned && channels % 4 == 0 && channels % SetAliasBytes != 0;

    /// <summary>Fills lanes with <see cref="ZeroPoint"/>.</summary>
    public void FillZeros(int* target, nint lanes)
    {
        if (kind == LaneKind.ByteQuad)
            Unsafe.InitBlockUnaligned(target, (byte)ZeroPoint, checked((uint)(lanes * sizeof(int))));
        else
            Unsafe.InitBlockUnaligned(target, 0, checked((uint)(lanes * sizeof(int))));
    }

    /// <summary>Fills pixels. Where a pixel's channels do not fill its last lane, the rest of that lane is undefined.</summary>
    /// <param name="source">The first pixel's first channel.</param>
    /// <param name="sourceStride">Bytes from one pixel to the next.</param>
    /// <param name="pixels">Pixels.</param>
    /// <param name="channels">Channels that are taken.</param>
    /// <param name="target">The first pixel.</param>
    /// <param name="targetStride">Lanes from one pixel to the next.</param>
    public void Fill(byte* source, nint sourceStride, nint pixels, int channels, int* target, nint targetStride)
    {
        if (sourceStride == channels && targetStride * ChannelsInLane == channels)
        {
            Run(source, target, pixels * channels);
            return;
        }

        nint pixel = 0;
        if (channels == 3 && sourceStride == 3 && targetStride == Lanes(3))
            pixel = kind == LaneKind.ByteQuad ? ThreesAsBytes(source, pixels, target) : Threes(source, pixels, (short*)target);
        else if (channels == 1 && sourceStride == 1 && targetStride == 1)
            pixel = Ones(source, pixels, target);
        for (; pixel < pixels; pixel++)
            Run(source + (pixel * sourceStride), target + (pixel * targetStride), channels);
    }

    private void Run(byte* source, int* target, nint count)
    {
        if (kind == LaneKind.ByteQuad)
            Flip(source, (byte*)target, count);
        else
            Widen(source, (short*)target, count);
    }

    private void Flip(byte* source, byte* target, nint count)
    {
        if (!input.IsSigned)
        {
            Buffer.MemoryCopy(source, target, count, count);
            return;
        }

        nint i = 0;
        if (Vector256.IsHardwareAccelerated && count >= 32)
        {
            // The last run overlaps the one before.
            for (; i < count; i += 32)
            {
                var at = Math.Min(i, count - 32);
                (Vector256.Load(source + at) ^ Vector256.Create((byte)0x80)).Store(target + at);
            }

            return;
        }

        for (; i + sizeof(uint) <= count; i += sizeof(uint))
            *(uint*)(target + i) = *(uint*)(source + i) ^ 0x80808080;
        for (; i < count; i++)
            target[i] = (byte)(source[i] ^ 0x80);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Widen(byte* source, short* target, nint count)
    {
        var zero = (short)input.ZeroPoint;
        if (Vector256.IsHardwareAccelerated && count >= 32)
        {
            // The last run overlaps the one before.
            for (nint i = 0; i < count; i += 32)
            {
                var at = Math.Min(i, count - 32);
                var bytes = Vector256.Load(source + at);
                var (low, high) = input.IsSigned ? Vector256.Widen(bytes.AsSByte()) : Unsigned(Vector256.Widen(bytes));
                (low - Vector256.Create(zero)).Store(target + at);
                (high - Vector256.Create(zero)).Store(target + at + 16);
            }

            return;
        }

        if (Vector128.IsHardwareAccelerated && count >= 8)
        {
            for (nint i = 0; i < count; i += 8)
            {
                var at = Math.Min(i, count - 8);
                var bytes = Vector128.CreateScalarUnsafe(*(ulong*)(source + at));
                var wide = input.IsSigned ? Vector128.WidenLower(bytes.AsSByte()) : Vector128.WidenLower(bytes.AsByte()).AsInt16();
                (wide - Vector128.Create(zero)).Store(target + at);
            }

            return;
        }

        for (nint i = 0; i < count; i++)
            target[i] = (short)((input.IsSigned ? (sbyte)source[i] : source[i]) - zero);
    }

    // A lane for each byte: its number and zeros, or in the upper half its sign.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private nint Ones(byte* source, nint pixels, int* target)
    {
        nint pixel = 0;
        var flip = Vector128.Create(input.IsSigned ? (byte)0x80 : (byte)0);
        var zero = Vector128.Create(kind == LaneKind.ByteQuad ? 0 : input.IsSigned ? input.ZeroPoint + 128 : input.ZeroPoint);
        for (; pixel <= pixels - 16; pixel += 16)
        {
            var (low, high) = Vector128.Widen(Vector128.Load(source + pixel) ^ flip);
            var (a, b) = Vector128.Widen(low);
            var (c, d) = Vector128.Widen(high);
            (a.AsInt32() - zero).Store(target + pixel);
            (b.AsInt32() - zero).Store(target + pixel + 4);
            (c.AsInt32() - zero).Store(target + pixel + 8);
            (d.AsInt32() - zero).Store(target + pixel + 12);
        }

        return pixel;
    }

    // Pictures: four bytes at once, of which the fourth is the next pixel's; all but the last pixel, behind which there may be nothing.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private nint Threes(byte* source, nint pixels, short* target)
    {
        nint pixel = 0;
        var zero = Vector128.Create((short)input.ZeroPoint);
        for (; pixel < pixels - 1; pixel++)
        {
            var bytes = Vector128.CreateScalarUnsafe(*(uint*)(source + (pixel * 3)));
            var wide = input.IsSigned ? Vector128.WidenLower(bytes.AsSByte()) : Vector128.WidenLower(bytes.AsByte()).AsInt16();
            (wide - zero).GetLower().Store(target + (4 * pixel));
        }

        return pixel;
    }

    // Four pixels at once; while the 16 bytes that are loaded for their 12 are all pixels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private nint ThreesAsBytes(byte* source, nint pixels, int* target)
    {
        nint pixel = 0;
        var flip = Vector128.Create(input.IsSigned ? (byte)0x80 : (byte)0);
        for (; pixel <= pixels - 6; pixel += 4)
        {
            var bytes = Vector128.Load(source + (pixel * 3)) ^ flip;
            Vector128.Shuffle(bytes, Vector128.Create((byte)0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0))
                .Store((byte*)(target + pixel));
        }

        return pixel;
    }

    private static (Vector256<short> Low, Vector256<short> High) Unsigned((Vector256<ushort> Low, Vector256<ushort> High) wide) =>
        (wide.Low.AsInt16(), wide.High.AsInt16());
}
