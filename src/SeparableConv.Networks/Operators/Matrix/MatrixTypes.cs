using SeparableConv.Networks.Graph;

namespace SeparableConv.Networks.Operators;

/// <summary>The element types of matrix products.</summary>
internal static class MatrixTypes
{
    public const string Names = "floats, or integers of 32 or 64 bits";

    public static bool Takes(ElementType element) =>
        element.IsFloat() || element is ElementType.Int32 or ElementType.UInt32 or ElementType.Int64 or ElementType.UInt64;
}
