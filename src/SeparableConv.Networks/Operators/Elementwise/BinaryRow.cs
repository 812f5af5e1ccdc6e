using System.Numerics;
using System.Numerics.Tensors;

namespace SeparableConv.Networks.Operators;

/// <summary>Which operands of a row are rows, and which are one number for the whole row.</summary>
internal enum RowOperands
{
    Both,
    ScalarA,
    ScalarB,
}

/// <summary>
/// The innermost loop of an element-wise operation: computes a row of results from two rows, or from a row and a number. It is chosen by
/// operation and element type, so that the loops around it are written and compiled once.
/// </summary>
internal readonly unsafe struct BinaryRow
{
    private readonly delegate*<void*, void*, void*, int, RowOperands, void> _run;

    private BinaryRow(delegate*<void*, void*, void*, int, RowOperands, void> run) => _run = run;

    /// <summary>Whether the operation exists for the types of its operands.</summary>
    public bool Exists => _run is not null;

    /// <summary>The row of an operation; none where the operation does not take such elements.</summary>
    public static BinaryRow For(BinaryKind kind, ElementType a, ElementType b)
    {
        if (kind == BinaryKind.Pow)
            return ForPower(a, b);
        if (a != b)
            return default;
        if (a == ElementType.Bool)
            return ForTruths(kind);
        var work = new NumbersWork { Kind = kind };
        ElementDispatch.Numbers(a, ref work);
        return work.Row;
    }

    /// <summary>The row of x where it is not below 0, else x times the slope.</summary>
    public static BinaryRow ForSlope(ElementType element)
    {
        if (!ElementDispatch.IsWide(element))
            return default;
        var work = default(SlopeWork);
        ElementDispatch.WideNumbers(element, ref work);
        return work.Row;
    }

    /// <summary>The row of a derivative; none where it does not take such elements.</summary>
    public static BinaryRow For(BinaryDerivative derivative, ElementType a, ElementType b)
    {
        if (!a.IsFloat() || (derivative == BinaryDerivative.PowerByBase ? !ElementDispatch.IsWide(b) : a != b))
            return default;
        var work = new DerivativeWork { Derivative = derivative, Exponent = b };
        ElementDispatch.WideNumbers(a, ref work);
        return work.Row;
    }

    /// <summary>The row of x where a bool is <paramref name="kept"/>, else 0, for <see cref="ElementDispatch.WideNumbers"/>.</summary>
    public static BinaryRow ForMask(ElementType element, bool kept)
    {
        var work = new MaskWork { Kept = kept };
        ElementDispatch.WideNumbers(element, ref work);
        return work.Row;
    }

    /// <summary>Computes <paramref name="count"/> elements.</summary>
    public void Run(void* a, void* b, void* y, int count, RowOperands operands) => _run(a, b, y, count, operands);

    private static BinaryRow ForNumbers<T>(BinaryKind kind)
        where T : unmanaged, INumber<T>
    {
        var isFloat = typeof(T) == typeof(float) || typeof(T) == typeof(double) || typeof(T) == typeof(Half);
        switch (kind)
        {
            case BinaryKind.Add:
                return new(&Add<T>);
            case BinaryKind.Sub:
                return new(&Subtract<T>);
            case BinaryKind.Mul:
                return new(&Multiply<T>);
            case BinaryKind.Div when isFloat:
                return new(&Divide<T>);
            case BinaryKind.Div:
                return new(&Each<BinaryFunctions.Quotient<T>, T, T, T>);
            case BinaryKind.Min:
                return new(&Min<T>);
            case BinaryKind.Max:
                return new(&Max<T>);
            case BinaryKind.Mod:
                return new(&Each<BinaryFunctions.FloorRemainder<T>, T, T, T>);
            case BinaryKind.FMod:
                return new(&Each<BinaryFunctions.TruncatedRemainder<T>, T, T, T>);
            case BinaryKind.Equal:
                return new(&Each<BinaryFunctions.Equal<T>, T, T, bool>);
            case BinaryKind.Less:
                return new(&Each<BinaryFunctions.Less<T>, T, T, bool>);
            case BinaryKind.LessOrEqual:
                return new(&Each<BinaryFunctions.LessOrEqual<T>, T, T, bool>);
            case BinaryKind.Greater:
                return new(&Each<BinaryFunctions.Greater<T>, T, T, bool>);
            case BinaryKind.GreaterOrEqual:
                return new(&Each<BinaryFunctions.GreaterOrEqual<T>, T, T, bool>);
            default:
                return default;
        }
    }

    private static BinaryRow ForTruths(BinaryKind kind)
    {
        switch (kind)
        {
            case BinaryKind.Equal:
                return new(&Each<BinaryFunctions.EqualTruth, byte, byte, bool>);
            case BinaryKind.And:
                return new(&Each<BinaryFunctions.And, byte, byte, bool>);
            case BinaryKind.Or:
                return new(&Each<BinaryFunctions.Or, byte, byte, bool>);
            case BinaryKind.Xor:
                return new(&Each<BinaryFunctions.Xor, byte, byte, bool>);
            default:
                return default;
        }
    }

    private static BinaryRow ForPower(ElementType a, ElementType b)
    {
        if (!(a.IsFloat() || a is ElementType.Int32 or ElementType.Int64) || !ElementDispatch.IsWide(b))
            return default;
        var work = new PowerWork { Exponent = b };
        ElementDispatch.WideNumbers(a, ref work);
        return work.Row;
    }

    private static void Add<T>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
    {
        if (operands == RowOperands.Both)
            TensorPrimitives.Add(Row<T>(a, count), Row<T>(b, count), Target<T>(y, count));
        else if (operands == RowOperands.ScalarB)
            TensorPrimitives.Add(Row<T>(a, count), *(T*)b, Target<T>(y, count));
        else
            TensorPrimitives.Add(Row<T>(b, count), *(T*)a, Target<T>(y, count));
    }

    private static void Subtract<T>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
    {
        if (operands == RowOperands.Both)
            TensorPrimitives.Subtract(Row<T>(a, count), Row<T>(b, count), Target<T>(y, count));
        else if (operands == RowOperands.ScalarB)
            TensorPrimitives.Subtract(Row<T>(a, count), *(T*)b, Target<T>(y, count));
        else
            TensorPrimitives.Subtract(*(T*)a, Row<T>(b, count), Target<T>(y, count));
    }

    private static void Multiply<T>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
    {
        if (operands == RowOperands.Both)
            TensorPrimitives.Multiply(Row<T>(a, count), Row<T>(b, count), Target<T>(y, count));
        else if (operands == RowOperands.ScalarB)
            TensorPrimitives.Multiply(Row<T>(a, count), *(T*)b, Target<T>(y, count));
        else
            TensorPrimitives.Multiply(Row<T>(b, count), *(T*)a, Target<T>(y, count));
    }

    private static void Divide<T>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
    {
        if (operands == RowOperands.Both)
            TensorPrimitives.Divide(Row<T>(a, count), Row<T>(b, count), Target<T>(y, count));
        else if (operands == RowOperands.ScalarB)
            TensorPrimitives.Divide(Row<T>(a, count), *(T*)b, Target<T>(y, count));
        else
            TensorPrimitives.Divide(*(T*)a, Row<T>(b, count), Target<T>(y, count));
    }

    private static void Min<T>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
    {
        if (operands == RowOperands.Both)
            TensorPrimitives.Min(Row<T>(a, count), Row<T>(b, count), Target<T>(y, count));
        else if (operands == RowOperands.ScalarB)
            TensorPrimitives.Min(Row<T>(a, count), *(T*)b, Target<T>(y, count));
        else
            TensorPrimitives.Min(Row<T>(b, count), *(T*)a, Target<T>(y, count));
    }

    private static void Max<T>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
    {
        if (operands == RowOperands.Both)
            TensorPrimitives.Max(Row<T>(a, count), Row<T>(b, count), Target<T>(y, count));
        else if (operands == RowOperands.ScalarB)
            TensorPrimitives.Max(Row<T>(a, count), *(T*)b, Target<T>(y, count));
        else
            TensorPrimitives.Max(Row<T>(b, count), *(T*)a, Target<T>(y, count));
    }

    private static void Power<T, TExponent>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
        where TExponent : unmanaged, INumber<TExponent>
    {
        // The square of a layer normalization is by far the most frequent power.
        if (operands == RowOperands.ScalarB && *(TExponent*)b == TExponent.One + TExponent.One)
            TensorPrimitives.Multiply(Row<T>(a, count), Row<T>(a, count), Target<T>(y, count));
        else
            Each<BinaryFunctions.Power<T, TExponent>, T, TExponent, T>(a, b, y, count, operands);
    }

    private static void PowerByBase<T, TExponent>(void* a, void* b, void* y, int count, RowOperands operands)
        where T : unmanaged, INumber<T>
        where TExponent : unmanaged, INumber<TExponent>
    {
        if (operands == RowOperands.ScalarB && *(TExponent*)b == TExponent.One + TExponent.One)
            TensorPrimitives.Add(Row<T>(a, count), Row<T>(a, count), Target<T>(y, count));
        else
            Each<BinaryDerivatives.PowerByBase<T, TExponent>, T, TExponent, T>(a, b, y, count, operands);
    }

    private static void Each<TFunction, TA, TB, TResult>(void* a, void* b, void* y, int count, RowOperands operands)
        where TFunction : struct, IBinaryFunction<TA, TB, TResult>
        where TA : unmanaged
        where TB : unmanaged
        where TResult : unmanaged
    {
        var rowA = (TA*)a;
        var rowB = (TB*)b;
        var target = (TResult*)y;
        switch (operands)
        {
            case RowOperands.Both:
                for (var i = 0; i < count; i++)
                    target[i] = TFunction.Apply(rowA[i], rowB[i]);
                break;
            case RowOperands.ScalarB:
                var valueB = *rowB;
                for (var i = 0; i < count; i++)
                    target[i] = TFunction.Apply(rowA[i], valueB);
                break;
            default:
                var valueA = *rowA;
                for (var i = 0; i < count; i++)
                    target[i] = TFunction.Apply(valueA, rowB[i]);
                break;
        }
    }

    private static void Choose<TFunction, T>(void* a, void* b, void* y, int count, RowOperands operands)
        where TFunction : struct, IBinaryChoice<T>
        where T : unmanaged
    {
        var rowA = (T*)a;
        var rowB = (T*)b;
        var target = (T*)y;
        var done = 0;
        if (Vector<T>.IsSupported)
        {
            for (; done <= count - Vector<T>.Count; done += Vector<T>.Count)
            {
                var left = operands == RowOperands.ScalarA ? new Vector<T>(*rowA) : Vector.Load(rowA + done);
                var right = operands == RowOperands.ScalarB ? new Vector<T>(*rowB) : Vector.Load(rowB + done);
                Vector.Store(TFunction.Apply(left, right), target + done);
            }
        }

        for (; done < count; done++)
        {
            target[done] = TFunction.Apply(
                rowA[operands == RowOperands.ScalarA ? 0 : done], rowB[operands == RowOperands.ScalarB ? 0 : done]);
        }
    }

    private struct NumbersWork : INumberWork
    {
        public BinaryKind Kind;
        public BinaryRow Row;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Row = ForNumbers<T>(Kind);
    }

    private struct SlopeWork : INumberWork
    {
        public BinaryRow Row;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Row = new(&Choose<BinaryFunctions.Slope<T>, T>);
    }

    private struct MaskWork : INumberWork
    {
        public bool Kept;
        public BinaryRow Row;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Row = Kept
                ? new(&Each<BinaryDerivatives.WhereTrue<T>, T, byte, T>)
                : new(&Each<BinaryDerivatives.WhereFalse<T>, T, byte, T>);
    }

    private struct DerivativeWork : INumberWork
    {
        public BinaryDerivative Derivative;
        public ElementType Exponent;
        public BinaryRow Row;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            switch (Derivative)
            {
                case BinaryDerivative.PowerByBase:
                    var work = new ExponentWork<T> { OfDerivative = true };
                    ElementDispatch.WideNumbers(Exponent, ref work);
                    Row = work.Row;
                    break;
                case BinaryDerivative.LargerByFirst:
                    Row = new(&Choose<BinaryDerivatives.LargerByFirst<T>, T>);
                    break;
                case BinaryDerivative.LesserByFirst:
                    Row = new(&Choose<BinaryDerivatives.LesserByFirst<T>, T>);
                    break;
                case BinaryDerivative.SlopeByInput:
                    Row = new(&Choose<BinaryDerivatives.SlopeByInput<T>, T>);
                    break;
                default:
                    Row = new(&Choose<BinaryDerivatives.SlopeBySlope<T>, T>);
                    break;
            }
        }
    }

    private struct PowerWork : INumberWork
    {
        public ElementType Exponent;
        public BinaryRow Row;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var work = default(ExponentWork<T>);
            ElementDispatch.WideNumbers(Exponent, ref work);
            Row = work.Row;
        }
    }

    private struct ExponentWork<TBase> : INumberWork
        where TBase : unmanaged, INumber<TBase>
    {
        public bool OfDerivative;
        public BinaryRow Row;

        public void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Row = OfDerivative ? new(&PowerByBase<TBase, T>) : new(&Power<TBase, T>);
    }

    private static ReadOnlySpan<T> Row<T>(void* start, int count) => new(start, count);

    private static Span<T> Target<T>(void* start, int count) => new(start, count);
}
