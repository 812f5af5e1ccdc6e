using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace SeparableConv.Loops;

/// <summary>
/// Turns rows into columns: target[r*targetStride + c] = source[c*sourceStride + r] for elements of any size, strides in elements.
/// This is what changes planes of channels (NCHW) into pixels (NHWC) and back.
/// </summary>
/// <remarks>
/// Elements of four bytes go in squares of 4x4 through registers; three planes into pixels of three (an image on its way into a
/// network) and back by shuffles, whole vectors at both ends; three planes of bytes as well. Vectors are 128 bits wide everywhere: the
/// machine waits for memory.
/// </remarks>
internal static unsafe class TransposeLoop
{
    // 16 floats fill a cache line: a block uses up each line it touches at both ends before it goes on.
    private const int Block = 16;

    /// <summary>Transposes into so many rows and columns of the target; source and target do not overlap.</summary>
    public static void Run<T>(T* source, nint sourceStride, T* target, nint targetStride, int rows, int columns)
        where T : unmanaged
    {
        if (sizeof(T) == 1 && columns == 3 && targetStride == 3 && Vector128.IsHardwareAccelerated)
            JoinThree((byte*)source, sourceStride, (byte*)target, rows);
        else if (sizeof(T) != sizeof(float) || !Vector128.IsHardwareAccelerated)
            Blocks(source, sourceStride, target, targetStride, rows, columns);
        else if (columns == 2 && targetStride == 2)
            JoinTwo((float*)source, sourceStride, (float*)target, rows);
        else if (rows == 2 && sourceStride == 2)
            PartTwo((float*)source, (float*)target, targetStride, columns);
        else if (columns == 3 && targetStride == 3)
            JoinThree((float*)source, sourceStride, (float*)target, rows);
        else if (rows == 3 && sourceStride == 3)
            PartThree((float*)source, (float*)target, targetStride, columns);
        else
            Squares((float*)source, sourceStride, (float*)target, targetStride, rows, columns);
    }

    private static void Blocks<T>(T* source, nint sourceStride, T* target, nint targetStride, int rows, int columns)
        where T : unmanaged
    {
        for (var firstColumn = 0; firstColumn < columns; firstColumn += Block)
        {
            var endColumn = Math.Min(columns, firstColumn + Block);
            for (var r = 0; r < rows; r++)
            {
                var from = source + r;
                var to = target + (r * targetStride);
                for (var c = firstColumn; c < endColumn; c++)
                    to[c] = from[c * sourceStride];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Squares(float* source, nint sourceStride, float* target, nint targetStride, int rows, int columns)
    {
        var (wholeRows, wholeColumns) = (rows & ~3, columns & ~3);
        for (var firstColumn = 0; firstColumn < wholeColumns; firstColumn += Block)
        {
            var endColumn = Math.Min(wholeColumns, firstColumn + Block);
            for (var r = 0; r < wholeRows; r += 4)
            {
                for (var c = firstColumn; c < endColumn; c += 4)
                    Square(source + (c * sourceStride) + r, sourceStride, target + (r * targetStride) + c, targetStride);
            }
        }

        Blocks(source + wholeRows, sourceStride, target + (wholeRows * targetStride), targetStride, rows - wholeRows, wholeColumns);
        Blocks(source + (wholeColumns * sourceStride), sourceStride, target + wholeColumns, targetStride, rows, columns - wholeColumns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Square(float* source, nint sourceStride, float* target, nint targetStride)
    {
        var a = Vector128.Load(source);
        var b = Vector128.Load(source + sourceStride);
        var c = Vector128.Load(source + (2 * sourceStride));
        var d = Vector128.Load(source + (3 * sourceStride));
        var (ac0, ac1) = (ZipLower(a, c), ZipUpper(a, c));
        var (bd0, bd1) = (ZipLower(b, d), ZipUpper(b, d));
        ZipLower(ac0, bd0).Store(target);
        ZipUpper(ac0, bd0).Store(target + targetStride);
        ZipLower(ac1, bd1).Store(target + (2 * targetStride));
        ZipUpper(ac1, bd1).Store(target + (3 * targetStride));
    }

    /// <summary>Two planes into pixels of two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinTwo(float* source, nint plane, float* target, int pixels)
    {
        var i = 0;
        for (; i <= pixels - 4; i += 4, target += 8)
        {
            var a = Vector128.Load(source + i);
            var b = Vector128.Load(source + plane + i);
            ZipLower(a, b).Store(target);
            ZipUpper(a, b).Store(target + 4);
        }

        Blocks(source + i, plane, target, 2, pixels - i, 2);
    }

    /// <summary>Pixels of two into two planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PartTwo(float* source, float* target, nint plane, int pixels)
    {
        var i = 0;
        for (; i <= pixels - 4; i += 4, source += 8)
        {
            // a0 b0 a1 b1 and a2 b2 a3 b3: zipped twice, what belongs together is.
            var x = Vector128.Load(source);
            var y = Vector128.Load(source + 4);
            var (low, high) = (ZipLower(x, y), ZipUpper(x, y));
            ZipLower(low, high).Store(target + i);
            ZipUpper(low, high).Store(target + plane + i);
        }

        Blocks(source, 2, target + i, plane, 2, pixels - i);
    }

    /// <summary>Three planes into pixels of three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinThree(float* source, nint plane, float* target, int pixels)
    {
        // Lanes of the three stores: a0 b0 c0 a1 | b1 c1 a2 b2 | c2 a3 b3 c3. Each takes one shuffle of each plane and two selections.
        var second = Vector128.Create(0, -1, 0, 0).AsSingle();
        var third = Vector128.Create(0, 0, -1, 0).AsSingle();
        var i = 0;
        for (; i <= pixels - 4; i += 4, target += 12)
        {
            var a = Vector128.Load(source + i);
            var b = Vector128.Load(source + plane + i);
            var c = Vector128.Load(source + (2 * plane) + i);
            var a0 = Vector128.Shuffle(a, Vector128.Create(0, 0, 0, 1));
            var b0 = Vector128.Shuffle(b, Vector128.Create(0, 0, 0, 0));
            var c0 = Vector128.Shuffle(c, Vector128.Create(0, 0, 0, 0));
            Vector128.ConditionalSelect(third, c0, Vector128.ConditionalSelect(second, b0, a0)).Store(target);
            var b1 = Vector128.Shuffle(b, Vector128.Create(1, 1, 1, 2));
            var c1 = Vector128.Shuffle(c, Vector128.Create(1, 1, 1, 1));
            var a1 = Vector128.Shuffle(a, Vector128.Create(2, 2, 2, 2));
            Vector128.ConditionalSelect(third, a1, Vector128.ConditionalSelect(second, c1, b1)).Store(target + 4);
            var c2 = Vector128.Shuffle(c, Vector128.Create(2, 2, 2, 3));
            var a2 = Vector128.Shuffle(a, Vector128.Create(3, 3, 3, 3));
            var b2 = Vector128.Shuffle(b, Vector128.Create(3, 3, 3, 3));
            Vector128.ConditionalSelect(third, b2, Vector128.ConditionalSelect(second, a2, c2)).Store(target + 8);
        }

        Blocks(source + i, plane, target, 3, pixels - i, 3);
    }

    /// <summary>Three planes of bytes into pixels of three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void JoinThree(byte* source, nint plane, byte* target, int pixels)
    {
        // Byte k of 48 is plane k%3 of pixel k/3; a shuffle leaves 0 where another plane's byte comes.
        var i = 0;
        for (; i <= pixels - 16; i += 16, target += 48)
        {
            var a = Vector128.Load(source + i);
            var b = Vector128.Load(source + plane + i);
            var c = Vector128.Load(source + (2 * plane) + i);
            (Vector128.Shuffle(a, Vector128.Create((byte)0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, 255, 5))
                | Vector128.Shuffle(b, Vector128.Create((byte)255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, 255))
                | Vector128.Shuffle(c, Vector128.Create((byte)255, 255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255)))
                .Store(target);
            (Vector128.Shuffle(a, Vector128.Create((byte)255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, 10, 255))
                | Vector128.Shuffle(b, Vector128.Create((byte)5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, 10))
                | Vector128.Shuffle(c, Vector128.Create((byte)255, 5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255)))
                .Store(target + 16);
            (Vector128.Shuffle(a, Vector128.Create((byte)255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, 255, 255))
                | Vector128.Shuffle(b, Vector128.Create((byte)255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, 255))
                | Vector128.Shuffle(c, Vector128.Create((byte)10, 255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15)))
                .Store(target + 32);
        }

        Blocks(source + i, plane, target, 3, pixels - i, 3);
    }

    /// <summary>Pixels of three into three planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PartThree(float* source, float* target, nint plane, int pixels)
    {
        // Lanes of the three loads: a0 b0 c0 a1 | b1 c1 a2 b2 | c2 a3 b3 c3.
        var first = Vector128.Create(-1, 0, 0, 0).AsSingle();
        var last = Vector128.Create(0, 0, 0, -1).AsSingle();
        var upper = Vector128.Create(0, 0, -1, -1).AsSingle();
        var i = 0;
        for (; i <= pixels - 4; i += 4, source += 12)
        {
            var x = Vector128.Load(source);
            var y = Vector128.Load(source + 4);
            var z = Vector128.Load(source + 8);
            var a = Vector128.ConditionalSelect(
                last, Vector128.Shuffle(z, Vector128.Create(1, 1, 1, 1)), Vector128.Shuffle(y, Vector128.Create(2, 2, 2, 2)));
            Vector128.ConditionalSelect(upper, a, Vector128.Shuffle(x, Vector128.Create(0, 3, 3, 3))).Store(target + i);
            var b = Vector128.ConditionalSelect(
                last, Vector128.Shuffle(z, Vector128.Create(2, 2, 2, 2)), Vector128.Shuffle(y, Vector128.Create(0, 0, 3, 3)));
            Vector128.ConditionalSelect(first, Vector128.Shuffle(x, Vector128.Create(1, 1, 1, 1)), b).Store(target + plane + i);
            var c = Vector128.ConditionalSelect(
                first, Vector128.Shuffle(x, Vector128.Create(2, 2, 2, 2)), Vector128.Shuffle(y, Vector128.Create(1, 1, 1, 1)));
            Vector128.ConditionalSelect(upper, Vector128.Shuffle(z, Vector128.Create(0, 0, 0, 3)), c).Store(target + (2 * plane) + i);
        }

        Blocks(source, 3, target + i, plane, 3, pixels - i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLower(Vector128<float> a, Vector128<float> b)
    {
        if (Sse.IsSupported)
            return Sse.UnpackLow(a, b);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipLow(a, b);
        return Vector128.Create(a[0], b[0], a[1], b[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipUpper(Vector128<float> a, Vector128<float> b)
    {
        if (Sse.IsSupported)
            return Sse.UnpackHigh(a, b);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.ZipHigh(a, b);
        return Vector128.Create(a[2], b[2], a[3], b[3]);
    }
}
