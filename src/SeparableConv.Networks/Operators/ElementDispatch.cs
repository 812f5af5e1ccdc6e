using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>Work that is written once for every type of number. A struct: what it finds it leaves in a field of its own.</summary>
internal interface INumberWork
{
    /// <summary>Works on elements of <typeparamref name="T"/>.</summary>
    void Run<T>()
        where T : unmanaged, INumber<T>, IMinMaxValue<T>;
}

/// <summary>Work that is written once for the floating-point types.</summary>
internal interface IFloatWork
{
    /// <inheritdoc cref="INumberWork.Run{T}"/>
    void Run<T>()
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>Work that only moves elements and so is written once for their sizes.</summary>
internal interface IBitsWork
{
    /// <summary>Works on elements of as many bytes as <typeparamref name="T"/> has.</summary>
    void Run<T>()
        where T : unmanaged;
}

/// <summary>An operator that computes every type of number by one generic method.</summary>
internal interface INumberOperator
{
    /// <summary>Computes the outputs.</summary>
    void Run<T>(ForwardContext context)
        where T : unmanaged, INumber<T>, IMinMaxValue<T>;
}

/// <summary>
/// Runs generic work for an element type that is only known when the network is: the one place that goes through all types. Nothing is
/// allocated or boxed.
/// </summary>
internal static class ElementDispatch
{
    /// <summary>The types of <see cref="WideNumbers"/>, for messages.</summary>
    public const string WideNames = "floats, or integers of 32 or 64 bits";

    /// <summary>Whether elements are what <see cref="WideNumbers"/> takes.</summary>
    public static bool IsWide(ElementType element) =>
        element.IsFloat() || element is ElementType.Int32 or ElementType.UInt32 or ElementType.Int64 or ElementType.UInt64;

    /// <summary>Runs an operator for elements of any type but bool.</summary>
    public static void Run(INumberOperator op, ElementType element, ForwardContext context)
    {
        var work = new OperatorWork { Operator = op, Context = context };
        Numbers(element, ref work);
    }

    /// <summary>Runs work for any type but bool.</summary>
    public static void Numbers<TWork>(ElementType element, ref TWork work)
        where TWork : struct, INumberWork
    {
        switch (element)
        {
            case ElementType.Int8:
                work.Run<sbyte>();
                break;
            case ElementType.UInt8:
                work.Run<byte>();
                break;
            case ElementType.Int16:
                work.Run<short>();
                break;
            case ElementType.UInt16:
                work.Run<ushort>();
                break;
            default:
                WideNumbers(element, ref work);
                break;
        }
    }

    /// <summary>Runs work for floats and for integers of 32 or 64 bits.</summary>
    public static void WideNumbers<TWork>(ElementType element, ref TWork work)
        where TWork : struct, INumberWork
    {
        switch (element)
        {
            case ElementType.Float32:
                work.Run<float>();
                break;
            case ElementType.Float64:
                work.Run<double>();
                break;
            case ElementType.Float16:
                work.Run<Half>();
                break;
            case ElementType.Int32:
                work.Run<int>();
                break;
            case ElementType.UInt32:
                work.Run<uint>();
                break;
            case ElementType.Int64:
                work.Run<long>();
                break;
            case ElementType.UInt64:
                work.Run<ulong>();
                break;
            default:
                throw Unexpected(element);
        }
    }

    /// <summary>Runs work for floats.</summary>
    public static void Floats<TWork>(ElementType element, ref TWork work)
        where TWork : struct, IFloatWork
    {
        switch (element)
        {
            case ElementType.Float32:
                work.Run<float>();
                break;
            case ElementType.Float64:
                work.Run<double>();
                break;
            case ElementType.Float16:
                work.Run<Half>();
                break;
            default:
                throw Unexpected(element);
        }
    }

    /// <summary>Runs work for elements of 1, 2, 4 or 8 bytes.</summary>
    public static void Bits<TWork>(int size, ref TWork work)
        where TWork : struct, IBitsWork
    {
        switch (size)
        {
            case 1:
                work.Run<byte>();
                break;
            case 2:
                work.Run<ushort>();
                break;
            case 4:
                work.Run<uint>();
                break;
            default:
                work.Run<ulong>();
                break;
        }
    }

    private struct OperatorWork : INumberWork
    {
        public INumberOperator Operator;
        public ForwardContext Context;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T> => Operator.Run<T>(Context);
    }

    // An operator refuses the types that it does not take when a network is built.
    private static InvalidOperationException Unexpected(ElementType element) =>
        new($"Elements of {element} came to work that is not for them.");
}
