namespace SeparableConv.Networks.Operators;

/// <summary>Which operands of a row are rows themselves, and which a single number for the whole of it.</summary>
internal enum RowOperands
{
    Both,
    ScalarA,
    ScalarB,
}
