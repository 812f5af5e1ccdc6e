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

    private static UnaryRow ForFloats<T>(UnaryKind kind)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
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
                return typeof(T) == typeof(float) ? new(&SingleErf) : new(&Each<T, UnaryFunctions.Erf<T>>);
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

    private static void SingleErf(void* x, void* y, int count)
    {
        Row<float>(x, count).CopyTo(Target<float>(y, count));
        new ActivationRows((float*)y, 1, count, count).ForEach(default(ErfFunction), SimdWidths.Best);
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
