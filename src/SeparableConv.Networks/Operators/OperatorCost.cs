namespace SeparableConv.Networks;

/// <summary>What running an operator once costs.</summary>
/// <param name="Macs">Multiply-accumulates of convolutions and matrix products; taps that fall on padding count, as is usual.</param>
/// <param name="Additional">Further arithmetic, an operation an element: additions, comparisons, activations.</param>
public readonly record struct OperatorCost(long Macs, long Additional = 0);
