using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Imaging.Png;

/// <summary>Undoes PNG's row filters, in place.</summary>
/// <remarks>
/// Up has no dependency along the row and runs a vector at a time. The others need the pixel on the left first: they
/// take a pixel a step, its bytes side by side in one vector, for pixels of 3, 4, 6 and 8 bytes; 1 and 2 run as scalars.
/// </remarks>
internal static class PngUnfilter
{
    /// <summary>Turns a filtered row into samples.</summary>
    /// <param name="filter">The row's filter byte, unchecked.</param>
    /// <param name="row">The row's bytes behind the filter byte.</param>
    /// <param name="above">The samples of the row above, as long; zeros above the first row of a pass.</param>
    /// <param name="distance">Bytes to the pixel on the left: 1, 2, 3, 4, 6 or 8.</param>
    /// <exception cref="InvalidDataException">There is no such filter.</exception>
    public static void Undo(PngFilter filter, Span<byte> row, ReadOnlySpan<byte> above, int distance)
    {
        switch (filter)
        {
            case PngFilter.None:
                break;
            case PngFilter.Sub:
                UndoByDistance<SubPredictor>(row, above, distance);
                break;
            case PngFilter.Up:
                UndoUp(row, above);
                break;
            case PngFilter.Average:
                UndoByDistance<AveragePredictor>(row, above, distance);
                break;
            case PngFilter.Paeth:
                UndoByDistance<PaethPredictor>(row, above, distance);
                break;
            default:
                throw new InvalidDataException($"PNG row filter {(int)filter} does not exist; 0 to 4 is expected: the file is damaged.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UndoUp(Span<byte> row, ReadOnlySpan<byte> above)
    {
        var i = 0;
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var b = ref MemoryMarshal.GetReference(above[..row.Length]);
        for (; i <= row.Length - Vector128<byte>.Count; i += Vector128<byte>.Count)
            (Vector128.LoadUnsafe(ref x, (nuint)i) + Vector128.LoadUnsafe(ref b, (nuint)i)).StoreUnsafe(ref x, (nuint)i);
        for (; i < row.Length; i++)
            row[i] += above[i];
    }

    private static void UndoByDistance<TPredictor>(Span<byte> row, ReadOnlySpan<byte> above, int distance)
        where TPredictor : struct, IPngPredictor
    {
        switch (distance)
        {
            case 3:
                UndoPixels<TPredictor, Pixel3>(row, above);
                break;
            case 4:
                UndoPixels<TPredictor, uint>(row, above);
                break;
            case 6:
                UndoPixels<TPredictor, Pixel6>(row, above);
                break;
            case 8:
                UndoPixels<TPredictor, ulong>(row, above);
                break;
            default:
                UndoBytes<TPredictor>(row, above, distance);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UndoBytes<TPredictor>(Span<byte> row, ReadOnlySpan<byte> above, int distance)
        where TPredictor : struct, IPngPredictor
    {
        above = above[..row.Length];
        for (var i = 0; i < Math.Min(distance, row.Length); i++)
            row[i] += TPredictor.Predict(0, above[i], 0);
        for (var i = distance; i < row.Length; i++)
            row[i] += TPredictor.Predict(row[i - distance], above[i], above[i - distance]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UndoPixels<TPredictor, TPixel>(Span<byte> row, ReadOnlySpan<byte> above)
        where TPredictor : struct, IPngPredictor
        where TPixel : unmanaged
    {
        // Rows of these depths are whole pixels, so the casts lose nothing. Lanes past the pixel hold zeros.
        var pixels = MemoryMarshal.Cast<byte, TPixel>(row);
        var pixelsAbove = MemoryMarshal.Cast<byte, TPixel>(above)[..pixels.Length];
        Vector128<byte> left = default, aboveLeft = default;
        for (var i = 0; i < pixels.Length; i++)
        {
            var up = Load(in pixelsAbove[i]);
            left = Load(in pixels[i]) + TPredictor.Predict(left, up, aboveLeft);
            aboveLeft = up;
            Store(left, ref pixels[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Load<TPixel>(in TPixel pixel)
        where TPixel : unmanaged
    {
        ref var bytes = ref Unsafe.As<TPixel, byte>(ref Unsafe.AsRef(in pixel));
        if (Unsafe.SizeOf<TPixel>() == 4)
            return Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(ref bytes)).AsByte();
        if (Unsafe.SizeOf<TPixel>() == 8)
            return Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(ref bytes)).AsByte();
        if (Unsafe.SizeOf<TPixel>() == 3)
            return Vector128.CreateScalar(Unsafe.ReadUnaligned<ushort>(ref bytes) | ((uint)Unsafe.Add(ref bytes, 2) << 16)).AsByte();

        var high = (ulong)Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref bytes, 4)) << 32;
        return Vector128.CreateScalar(Unsafe.ReadUnaligned<uint>(ref bytes) | high).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TPixel>(Vector128<byte> value, ref TPixel pixel)
        where TPixel : unmanaged
    {
        ref var bytes = ref Unsafe.As<TPixel, byte>(ref pixel);
        if (Unsafe.SizeOf<TPixel>() == 8)
        {
            Unsafe.WriteUnaligned(ref bytes, value.AsUInt64().ToScalar());
            return;
        }

        var low = value.AsUInt32().ToScalar();
        if (Unsafe.SizeOf<TPixel>() == 3)
        {
            Unsafe.WriteUnaligned(ref bytes, (ushort)low);
            Unsafe.Add(ref bytes, 2) = (byte)(low >> 16);
            return;
        }

        Unsafe.WriteUnaligned(ref bytes, low);
        if (Unsafe.SizeOf<TPixel>() == 6)
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref bytes, 4), value.AsUInt16().GetElement(2));
    }

    // Only their sizes matter: a pixel of three bytes and one of six.
    [InlineArray(3)]
    private struct Pixel3
    {
        private byte _first;
    }

    [InlineArray(6)]
    private struct Pixel6
    {
        private byte _first;
    }
}
