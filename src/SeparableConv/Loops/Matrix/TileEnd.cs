namespace SeparableConv.Loops;

/// <summary>
/// What a tile does with a sum between its two bounds before it is stored. Each is a type too, so that tiles are compiled for it: as branches
/// a tile of few steps of k spent a tenth of its time on them.
/// </summary>
internal enum TileEnd
{
    /// <summary>Nothing.</summary>
    Bounds,

    /// <summary>It goes through <see cref="ITileSimd{TVec}.HardSwish"/>.</summary>
    HardSwish,

    /// <summary><see cref="TileArguments.Shortcut"/> is added.</summary>
    Shortcut,
}

/// <summary>The ends as type arguments.</summary>
internal static class TileEnds
{
    public readonly struct Bounds;

    public readonly struct HardSwish;

    public readonly struct Shortcut;
}
