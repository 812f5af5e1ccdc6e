using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Activations;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The loop of an element-wise function over a row, chosen by function and element type. Both rows may be the same memory.
/// </summary>
internal readonly unsafe struct UnaryRow
{
    private const int BlockElements = 4096;

    private readonly delegate*<void*, void*, int, void> _run;

    private UnaryRow(delegate*<void*, void*, int, void> run) => _run = run;

    /// <summary>Whether the function exists for the type of its operand.</summary>
    public bool Exists => _run is not null;

    /// <summary>The row of a function; none where it does not take such elements.</summary>
    public static UnaryRow For(UnaryKind kind, ElementType element)
    {
        if (element == ElementType.Bool)
            return kind == UnaryKind.Not ? new(&Each<byte, UnaryFunctions.Not>) : default;
        var work = new RowWork { Kind = kind };
        if (element.IsFloat())
            ElementDispatch.Floats(element, ref work);
        else
            ElementDispatch.Numbers(element, ref work);
        return work.Row;
    }

    /// <summary>Computes <paramref name="count"/> elements.</summary>
    public void Run(void* x, void* y, int count) => _run(x, y, count);

    private static UnaryRow ForNumbers<T>(UnaryKind kind)
        where T : unmanaged, INumber<T>
    {
        switch (kind)
        {
            case UnaryKind.Abs:
                return new(&Each<T, UnaryFunctions.Abs<T>>);
            case UnaryKind.Neg:
                return new(&Each<T, UnaryFunctions.Neg<T>>);
            case UnaryKind.Sign:
                return new(&Each<T, UnaryFunctions.Sign<T>>);
            default:
                return default;
        }
    }

    /// <summary>Functions of the library's own: as fast as the framework's, more exact, and fast from the first call on.</summary>
    private static UnaryRow ForSingles(UnaryKind kind)
    {
        switch (kind)
        {
            case UnaryKind.Exp:
                return new(&Single<ExpFunction>);
            case UnaryKind.Log:
                return new(&Single<LogFunction>);
            case UnaryKind.Sin:
                return new(&Periodic<SinFunction>);
            case UnaryKind.Cos:
                return new(&Periodic<CosFunction>);
            case UnaryKind.Sinh:
                return new(&Single<SinhFunction>);
            case UnaryKind.Cosh:
                return new(&Single<CoshFunction>);
            case UnaryKind.Sign:
                return new(&Single<SignFunction>);
            case UnaryKind.Erf:
                return new(&Single<ErfFunction>);
            case UnaryKind.Softplus:
                return new(&Single<SoftplusFunction>);
            case UnaryKind.Softsign:
                return new(&Single<SoftsignFunction>);
            default:
                return default;
        }
    }

    private static UnaryRow ForFloats<T>(UnaryKind kind)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float) && ForSingles(kind) is { Exists: true } own)
            return own;
        switch (kind)
        {
            case UnaryKind.Abs:
                return new(&Abs<T>);
            case UnaryKind.Neg:
                return new(&Negate<T>);
            case UnaryKind.Sign:
                return new(&Each<T, UnaryFunctions.Sign<T>>);
            case UnaryKind.Floor:
                return new(&Floor<T>);
            case UnaryKind.Ceil:
                return new(&Ceiling<T>);
            case UnaryKind.Round:
                return new(&Round<T>);
            case UnaryKind.Sqrt:
                return new(&Sqrt<T>);
            case UnaryKind.Reciprocal:
                return new(&Reciprocal<T>);
            case UnaryKind.Exp:
                return new(&Exp<T>);
            case UnaryKind.Log:
                return new(&Log<T>);
            case UnaryKind.Sin:
                return new(&Sin<T>);
            case UnaryKind.Cos:
                return new(&Cos<T>);
            case UnaryKind.Tan:
                return new(&Tan<T>);
            case UnaryKind.Asin:
                return new(&Asin<T>);
            case UnaryKind.Acos:
                return new(&Acos<T>);
            case UnaryKind.Atan:
                return new(&Atan<T>);
            case UnaryKind.Sinh:
                return new(&Each<T, UnaryFunctions.Sinh<T>>);
            case UnaryKind.Cosh:
                return new(&Cosh<T>);
            case UnaryKind.Asinh:
                return new(&Asinh<T>);
            case UnaryKind.Acosh:
                return new(&Acosh<T>);
            case UnaryKind.Atanh:
                return new(&Atanh<T>);
            case UnaryKind.Erf:
                return new(&Each<T, UnaryFunctions.Erf<T>>);
            case UnaryKind.Softplus:
                return new(&Each<T, UnaryFunctions.Softplus<T>>);
            case UnaryKind.Softsign:
                return new(&Each<T, UnaryFunctions.Softsign<T>>);
            default:
                return default;
        }
    }

    private static void Each<T, TFunction>(void* x, void* y, int count)
        where T : unmanaged
        where TFunction : struct, IUnaryFunction<T>
    {
        var source = (T*)x;
        var target = (T*)y;
        for (var i = 0; i < count; i++)
            target[i] = TFunction.Apply(source[i]);
    }

    private static void Abs<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Abs(Row<T>(x, count), Target<T>(y, count));

    private static void Negate<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Negate(Row<T>(x, count), Target<T>(y, count));

    private static void Floor<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Floor(Row<T>(x, count), Target<T>(y, count));

    private static void Ceiling<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Ceiling(Row<T>(x, count), Target<T>(y, count));

    private static void Round<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Round(Row<T>(x, count), Target<T>(y, count));

    private static void Sqrt<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Sqrt(Row<T>(x, count), Target<T>(y, count));

    private static void Reciprocal<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Divide(T.One, Row<T>(x, count), Target<T>(y, count));

    private static void Exp<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Exp(Row<T>(x, count), Target<T>(y, count));

    private static void Log<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Log(Row<T>(x, count), Target<T>(y, count));

    private static void Sin<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Sin(Row<T>(x, count), Target<T>(y, count));

    private static void Cos<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Cos(Row<T>(x, count), Target<T>(y, count));

    private static void Tan<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Tan(Row<T>(x, count), Target<T>(y, count));

    private static void Asin<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Asin(Row<T>(x, count), Target<T>(y, count));

    private static void Acos<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Acos(Row<T>(x, count), Target<T>(y, count));

    private static void Atan<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Atan(Row<T>(x, count), Target<T>(y, count));

    private static void Cosh<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Cosh(Row<T>(x, count), Target<T>(y, count));

    private static void Asinh<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Asinh(Row<T>(x, count), Target<T>(y, count));

    private static void Acosh<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Acosh(Row<T>(x, count), Target<T>(y, count));

    private static void Atanh<T>(void* x, void* y, int count)
        where T : unmanaged, IFloatingPointIeee754<T> => TensorPrimitives.Atanh(Row<T>(x, count), Target<T>(y, count));

    // In blocks that stay in the first-level cache between the copy and the function.
    private static void Single<TFunction>(void* x, void* y, int count)
        where TFunction : struct, IElementFunction
    {
        for (var at = 0; at < count; at += BlockElements)
        {
            var source = (float*)x + at;
            var target = (float*)y + at;
            var some = Math.Min(BlockElements, count - at);
            if (source != target)
                Row<float>(source, some).CopyTo(Target<float>(target, some));
            new ActivationRows(target, 1, some, some).ForEach(default(TFunction), SimdWidths.Best);
        }
    }

    // Angles of many turns are the framework's; a NaN is no angle, and goes there too.
    private static void Periodic<TFunction>(void* x, void* y, int count)
        where TFunction : struct, IElementFunction
    {
        for (var at = 0; at < count; at += BlockElements)
        {
            var source = (float*)x + at;
            var target = (float*)y + at;
            var some = Math.Min(BlockElements, count - at);
            if (Math.Abs(TensorPrimitives.MaxMagnitude(Row<float>(source, some))) <= Trigonometry.Largest)
                Single<TFunction>(source, target, some);
            else if (typeof(TFunction) == typeof(SinFunction))
                Sin<float>(source, target, some);
            else
                Cos<float>(source, target, some);
        }
    }

    private struct RowWork : INumberWork, IFloatWork
    {
        public UnaryKind Kind;
        public UnaryRow Row;

        void INumberWork.Run<T>() => Row = ForNumbers<T>(Kind);

        void IFloatWork.Run<T>() => Row = ForFloats<T>(Kind);
    }

    private static ReadOnlySpan<T> Row<T>(void* start, int count) => new(start, count);

    private static Span<T> Target<T>(void* start, int count) => new(start, count);
}
