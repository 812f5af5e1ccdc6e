namespace SeparableConv.Loops;

/// <summary>Into how many blocks the tiles of a <see cref="WinogradLoop"/> are cut, and how threads share them.</summary>
internal readonly record struct WinogradCut
{
    // 768 KB of transformed tiles; but with less than 56 the weights are read too often. Between 56 and 112 tiles the time of
    // VGG's and ResNet's layers moves by 3 %.
    private const int BlockFloats = 192 * 1024;

    private const int LeastTiles = 4 * MatrixTile.MostRows;

    private const int MostTiles = 8 * MatrixTile.MostRows;

    // Weights that stay in every core's second-level cache: threads then take smaller blocks of their own. Where they shared the steps
    // of one block each read what the other had just written: 16x16x32 took 27 us on two threads and 14 on one.
    private const long MostWeightsInCache = 64 * 1024;

    private const int LeastTilesOfThread = 8;

    private readonly long _tiles;

    public WinogradCut(long tiles, int inChannels, int outChannels, int threads)
    {
        _tiles = tiles;
        var wanted = Math.Clamp(BlockFloats / (WinogradTiles.Planes * ((long)inChannels + outChannels)), LeastTiles, MostTiles);
        var blocks = (tiles + wanted - 1) / wanted;
        var weights = (long)WinogradTiles.Planes * inChannels * outChannels;
        IsByBlocks = threads == 1 || blocks >= threads || (weights <= MostWeightsInCache && tiles >= LeastTilesOfThread * threads);
        if (IsByBlocks && blocks < 8 * threads)
            blocks = Math.Min(tiles, (blocks + threads - 1) / threads * threads);
        Blocks = (int)blocks;
        TilesInBlock = (nint)((tiles + blocks - 1) / blocks);
        TileParts = (int)Math.Min(4 * threads, TilesInBlock);
        PanelParts = threads;
    }

    public int Blocks { get; }

    /// <summary>Tiles of the largest block.</summary>
    public nint TilesInBlock { get; }

    /// <summary>Whether each thread takes whole blocks of its own.</summary>
    public bool IsByBlocks { get; }

    /// <summary>Else: parts that a block's tiles are cut into for the transforms.</summary>
    public int TileParts { get; }

    /// <summary>Else: parts that the panels of each product are cut into.</summary>
    public int PanelParts { get; }

    public (long First, long End) Block(int index) => (_tiles * index / Blocks, _tiles * (index + 1) / Blocks);

    public (long First, long End) Tiles(in WinogradBlock block, int part)
    {
        var count = block.End - block.First;
        return (block.First + (count * part / TileParts), block.First + (count * (part + 1) / TileParts));
    }
}
