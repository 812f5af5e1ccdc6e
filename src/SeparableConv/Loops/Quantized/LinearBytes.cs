using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>How bytes stand for numbers: real = (byte - ZeroPoint) * Scale, in single precision.</summary>
/// <param name="IsSigned">Whether the bytes are signed.</param>
/// <param name="Scale">Finite and above 0.</param>
/// <param name="ZeroPoint">The byte that stands for 0.</param>
internal readonly record struct LinearByte(bool IsSigned, float Scale, int ZeroPoint);

/// <summary>
/// ONNX's QuantizeLinear and DequantizeLinear on runs of numbers with one scale, TensorFlow Lite's Quantize and Dequantize, and the sum of
/// two dequantized runs quantized again. Every number is rounded as the single operations would round it: the results are theirs, bit for
/// bit.
/// </summary>
/// <remarks>Vectors of 256 bits, which the JIT splits where a machine has 128: all are bound by memory, or nearly.</remarks>
internal static unsafe class LinearBytes
{
    private const int Lanes = 8;
    private const int Step = 4 * Lanes;

    /// <summary>How halves are rounded.</summary>
    internal interface IHalves
    {
        static abstract float Round(float value);

        static abstract Vector256<float> Round(Vector256<float> value);
    }

    /// <summary>y = clamp(round(x / scale) + zeroPoint, min, max); NaN becomes the zero point.</summary>
    public static void Quantize<THalves>(float* x, byte* y, nint count, LinearByte output, int min, int max, SimdWidth? width = null)
        where THalves : struct, IHalves
    {
        var work = new QuickQuantize<THalves>(x, y, count, output, min, max);
        if (work.IsQuick)
            (width ?? SimdWidths.Best).Dispatch(ref work);
        else
            Divide<THalves>(x, y, count, output, min, max);
    }

    /// <summary>The same with a division for each number, at any scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Divide<THalves>(float* x, byte* y, nint count, LinearByte output, int min, int max)
        where THalves : struct, IHalves
    {
        nint i = 0;
        var target = new Target<THalves>(output, min, max);
        for (; i <= count - Step; i += Step)
        {
            target.Store(
                Vector256.Load(x + i),
                Vector256.Load(x + i + Lanes),
                Vector256.Load(x + i + (2 * Lanes)),
                Vector256.Load(x + i + (3 * Lanes)),
                y + i);
        }

        for (; i < count; i++)
            y[i] = target.Byte(x[i]);
    }

    /// <summary>The same with numbers of 16 bits and all of their range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize<THalves>(float* x, short* y, nint count, float scale, int zeroPoint)
        where THalves : struct, IHalves
    {
        nint i = 0;
        var target = new Target<THalves>(new(IsSigned: true, scale, zeroPoint), short.MinValue, short.MaxValue);
        for (; i <= count - (2 * Lanes); i += 2 * Lanes)
            target.Store(Vector256.Load(x + i), Vector256.Load(x + i + Lanes), y + i);
        for (; i < count; i++)
            y[i] = (short)target.Number(x[i]);
    }

    /// <summary>y = (x - zeroPoint) * scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(byte* x, float* y, nint count, LinearByte input)
    {
        nint i = 0;
        for (; i <= count - Step; i += Step)
        {
            var source = new Source(x + i, input);
            source.Floats(0).Store(y + i);
            source.Floats(1).Store(y + i + Lanes);
            source.Floats(2).Store(y + i + (2 * Lanes));
            source.Floats(3).Store(y + i + (3 * Lanes));
        }

        for (; i < count; i++)
            y[i] = Float(x[i], input);
    }

    /// <summary>The same with numbers of 16 bits, whose distances from any zero point are exact in single precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize(short* x, float* y, nint count, float scale, int zeroPoint)
    {
        nint i = 0;
        var (scales, zero) = (Vector256.Create(scale), Vector256.Create(zeroPoint));
        for (; i <= count - (2 * Lanes); i += 2 * Lanes)
        {
            var shorts = Vector256.Load(x + i);
            (Vector256.ConvertToSingle(Vector256.WidenLower(shorts) - zero) * scales).Store(y + i);
            (Vector256.ConvertToSingle(Vector256.WidenUpper(shorts) - zero) * scales).Store(y + i + Lanes);
        }

        for (; i < count; i++)
            y[i] = (x[i] - zeroPoint) * scale;
    }

    /// <summary>y = clamp(round(((a - zeroA)*scaleA + (b - zeroB)*scaleB) / scale) + zeroPoint, min, max).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(byte* a, LinearByte inputA, byte* b, LinearByte inputB, byte* y, nint count, LinearByte output, int min, int max)
    {
        nint i = 0;
        var target = new Target<HalfToEven>(output, min, max);
        for (; i <= count - Step; i += Step)
        {
            var first = new Source(a + i, inputA);
            var second = new Source(b + i, inputB);
            target.Store(
                first.Floats(0) + second.Floats(0),
                first.Floats(1) + second.Floats(1),
                first.Floats(2) + second.Floats(2),
                first.Floats(3) + second.Floats(3),
                y + i);
        }

        for (; i < count; i++)
            y[i] = target.Byte(Float(a[i], inputA) + Float(b[i], inputB));
    }

    private static float Float(byte raw, LinearByte input) => ((input.IsSigned ? (sbyte)raw : raw) - input.ZeroPoint) * input.Scale;

    /// <summary>32 bytes on their way to floats.</summary>
    private readonly ref struct Source
    {
        private readonly Vector256<short> _low;
        private readonly Vector256<short> _high;
        private readonly Vector256<float> _scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Source(byte* source, LinearByte input)
        {
            var bytes = Vector256.Load(source);
            var zero = Vector256.Create((short)input.ZeroPoint);
            if (input.IsSigned)
            {
                (_low, _high) = Vector256.Widen(bytes.AsSByte());
            }
            else
            {
                var (low, high) = Vector256.Widen(bytes);
                (_low, _high) = (low.AsInt16(), high.AsInt16());
            }

            (_low, _high, _scale) = (_low - zero, _high - zero, Vector256.Create(input.Scale));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Floats(int quarter) =>
            Vector256.ConvertToSingle(
                (quarter & 1) == 0
                    ? Vector256.WidenLower(quarter < 2 ? _low : _high)
                    : Vector256.WidenUpper(quarter < 2 ? _low : _high)) * _scale;
    }

    /// <summary>To the even neighbour.</summary>
    internal readonly struct HalfToEven : IHalves
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Round(float value) => MathF.Round(value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Round(Vector256<float> value) => Vector256.Round(value);
    }

    /// <summary>Away from zero.</summary>
    internal readonly struct HalfAway : IHalves
    {
        // The largest number below a half: with a half itself, the number before it would be rounded up.
        private const float NearlyHalf = 0.49999997f;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Round(float value) => MathF.Truncate(value + MathF.CopySign(NearlyHalf, value));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Round(Vector256<float> value) =>
            Vector256.Truncate(value + Vector256.CopySign(Vector256.Create(NearlyHalf), value));
    }

    /// <summary>Floats on their way to bytes.</summary>
    private readonly ref struct Target<THalves>
        where THalves : struct, IHalves
    {
        private readonly float _scale;
        private readonly float _zeroPoint;
        private readonly float _min;
        private readonly float _max;

        public Target(LinearByte output, int min, int max) => (_scale, _zeroPoint, _min, _max) = (output.Scale, output.ZeroPoint, min, max);

        public byte Byte(float x) => (byte)Number(x);

        public int Number(float x)
        {
            // The largest zero point and every bound are exact in float32, and so is the sum of what they leave.
            var value = THalves.Round(x / _scale) + _zeroPoint;
            return (int)Math.Clamp(float.IsNaN(value) ? _zeroPoint : value, _min, _max);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, byte* target)
        {
            var low = Vector256.Narrow(Integers(a), Integers(b));
            var high = Vector256.Narrow(Integers(c), Integers(d));
            Vector256.Narrow(low, high).AsByte().Store(target);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(Vector256<float> a, Vector256<float> b, short* target) =>
            Vector256.Narrow(Integers(a), Integers(b)).Store(target);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private Vector256<int> Integers(Vector256<float> x)
        {
            var zero = Vector256.Create(_zeroPoint);
            var value = THalves.Round(x / Vector256.Create(_scale)) + zero;
            value = Vector256.ConditionalSelect(Vector256.Equals(value, value), value, zero);
            return Vector256.ConvertToInt32Native(
                Vector256.MinNative(Vector256.MaxNative(value, Vector256.Create(_min)), Vector256.Create(_max)));
        }
    }
}
