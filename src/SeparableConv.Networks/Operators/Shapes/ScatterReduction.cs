using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>What a scattered number does to the number that is there already.</summary>
internal enum ScatterReduction
{
    /// <summary>It takes its place; of several that go to one place, the last stays.</summary>
    None,
    Add,
    Mul,

    /// <summary>NaN where either is NaN.</summary>
    Max,

    /// <summary>NaN where either is NaN.</summary>
    Min,
}

/// <summary>Types and arithmetic of operators that scatter.</summary>
internal static class Scattering
{
    /// <summary>Refuses updates of another type than the data's, and bools that are to be calculated with.</summary>
    /// <exception cref="ArgumentException">They are.</exception>
    public static void Check(TensorType data, TensorType updates, ScatterReduction reduction)
    {
        OperatorChecks.SameElement(data, updates);
        if (reduction != ScatterReduction.None)
            OperatorChecks.Takes(data.Element != ElementType.Bool, data, "numbers");
    }

    /// <summary>The type whose bits are moved, or which is calculated with.</summary>
    public static ElementType Arithmetic(ElementType element) => element == ElementType.Bool ? ElementType.UInt8 : element;

    /// <summary>The number that stays.</summary>
    public static T Apply<T>(ScatterReduction reduction, T there, T update)
        where T : INumber<T> => reduction switch
        {
            ScatterReduction.Add => there + update,
            ScatterReduction.Mul => there * update,
            ScatterReduction.Max => T.Max(there, update),
            ScatterReduction.Min => T.Min(there, update),
            _ => update,
        };
}
