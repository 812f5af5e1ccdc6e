using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// Sums and products of runs of bytes, in single precision and rounded once, half to even, as ONNX Runtime's QLinearAdd and QLinearMul do
/// it: with the output's zero point inside the rounding.
/// </summary>
internal static unsafe class QLinearBytes
{
    private const int Lanes = 8;

    /// <summary>What a run is computed by.</summary>
    /// <param name="IsSigned">Whether the bytes, all of them, are signed.</param>
    /// <param name="FactorA">Of a sum, the first operand's scale over the output's; of a product, both scales over the output's.</param>
    /// <param name="FactorB">Of a sum, the second operand's scale over the output's; of a product, 1.</param>
    /// <param name="ZeroA">Of a product, the first operand's zero point; of a sum, 0.</param>
    /// <param name="ZeroB">Of a product, the second operand's zero point; of a sum, 0.</param>
    /// <param name="Fixed">Of a product, the output's zero point; of a sum, that less what the operands' zero points give.</param>
    internal readonly record struct Formula(bool IsSigned, float FactorA, float FactorB, float ZeroA, float ZeroB, float Fixed)
    {
        public float Least => IsSigned ? sbyte.MinValue : byte.MinValue;

        public float Most => IsSigned ? sbyte.MaxValue : byte.MaxValue;
    }

    /// <summary>How two numbers become one.</summary>
    internal interface ICombination
    {
        static abstract float Of(float a, float b, in Formula formula);

        static abstract Vector256<float> Of(Vector256<float> a, Vector256<float> b, in Formula formula);
    }

    /// <summary>Runs <typeparamref name="TCombination"/> over bytes; an operand whose step is 0 is one byte for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TCombination>(byte* a, int stepA, byte* b, int stepB, byte* y, nint count, Formula formula)
        where TCombination : struct, ICombination
    {
        nint i = 0;
        var (least, most) = (Vector256.Create(formula.Least), Vector256.Create(formula.Most));
        var (oneA, oneB) = (Vector256.Create(Float(*a, formula)), Vector256.Create(Float(*b, formula)));
        for (; i <= count - Lanes; i += Lanes)
        {
            var first = stepA == 0 ? oneA : Floats(a + i, formula.IsSigned);
            var second = stepB == 0 ? oneB : Floats(b + i, formula.IsSigned);
            var value = TCombination.Of(first, second, formula);
            Store(Vector256.Round(Vector256.MinNative(Vector256.MaxNative(value, least), most)), y + i);
        }

        for (; i < count; i++)
        {
            var value = TCombination.Of(Float(a[i * stepA], formula), Float(b[i * stepB], formula), formula);
            y[i] = (byte)(int)MathF.Round(Math.Clamp(value, formula.Least, formula.Most));
        }
    }

    private static float Float(byte raw, in Formula formula) => formula.IsSigned ? (sbyte)raw : raw;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Floats(byte* source, bool isSigned)
    {
        var bytes = Vector128.CreateScalarUnsafe(*(ulong*)source);
        var shorts = isSigned ? Vector128.WidenLower(bytes.AsSByte()) : Vector128.WidenLower(bytes.AsByte()).AsInt16();
        var (low, high) = Vector128.Widen(shorts);
        return Vector256.ConvertToSingle(Vector256.Create(low, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<float> value, byte* target)
    {
        var integers = Vector256.ConvertToInt32Native(value);
        var shorts = Vector128.Narrow(integers.GetLower(), integers.GetUpper());
        *(ulong*)target = Vector128.Narrow(shorts, shorts).AsUInt64().ToScalar();
    }

    /// <summary>a*FactorA + (b*FactorB + Fixed), each product and its sum rounded once together.</summary>
    internal readonly struct Sum : ICombination
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Of(float a, float b, in Formula formula) => MathF.FusedMultiplyAdd(
            a, formula.FactorA, MathF.FusedMultiplyAdd(b, formula.FactorB, formula.Fixed));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Of(Vector256<float> a, Vector256<float> b, in Formula formula) => Vector256.FusedMultiplyAdd(
            a,
            Vector256.Create(formula.FactorA),
            Vector256.FusedMultiplyAdd(b, Vector256.Create(formula.FactorB), Vector256.Create(formula.Fixed)));
    }

    /// <summary>(a - ZeroA)*(b - ZeroB), which is exact, times FactorA, plus Fixed.</summary>
    internal readonly struct Product : ICombination
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static float Of(float a, float b, in Formula formula) =>
            ((a - formula.ZeroA) * (b - formula.ZeroB) * formula.FactorA) + formula.Fixed;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector256<float> Of(Vector256<float> a, Vector256<float> b, in Formula formula) =>
            ((a - Vector256.Create(formula.ZeroA)) * (b - Vector256.Create(formula.ZeroB)) * Vector256.Create(formula.FactorA))
            + Vector256.Create(formula.Fixed);
    }
}
