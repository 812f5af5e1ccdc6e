namespace SeparableConv.Networks.Operators;

/// <summary>What is made of the numbers along the reduced axes.</summary>
internal enum ReduceKind
{
    Mean,
    Sum,
    Max,
    Min,
    Prod,
}
