namespace SeparableConv.Loops;

/// <summary>
/// What a tile does with a sum between its two bounds before it is stored. Each is a type too, so that tiles are compiled for it: as
/// branches they took a tenth of the time of a tile of few steps of k.
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
