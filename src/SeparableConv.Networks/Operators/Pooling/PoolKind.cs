namespace SeparableConv.Networks.Operators;

/// <summary>What pooling makes of a window.</summary>
internal enum PoolKind
{
    /// <summary>The mean.</summary>
    Average,

    /// <summary>The largest.</summary>
    Max,
}
