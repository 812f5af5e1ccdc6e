namespace SeparableConv.Training.Data;

/// <summary>Drawn shapes; see <see cref="PictureDataSet.Shapes"/>.</summary>
internal sealed class ShapeDataSet : PictureDataSet
{
    private const int LeastSize = 8;
    private const int MostSize = 1024;

    // A picture takes longer to draw than many a network to compute: it is kept where all of them take no more than this.
    private const long MostKeptBytes = 1L << 28;

    private readonly int _seed;
    private readonly byte[]?[]? _drawn;

    public ShapeDataSet(int count, int size, int seed)
        : base(ShapeOutline.Names, Checked(size), size, ShapePainter.Channels)
    {
        if (count < 1)
            throw new ArgumentException($"{count} shapes were asked for; at least one is expected.");
        (Count, _seed) = (count, seed);
        _drawn = (long)count * PictureBytes <= MostKeptBytes ? new byte[count][] : null;
    }

    public override int Count { get; }

    public override int ClassOf(int index) => index % Classes.Count;

    // Two threads that draw the same picture draw the same bytes.
    protected override void ReadPixels(int index, Span<byte> pixels)
    {
        if (_drawn is not null && Volatile.Read(ref _drawn[index]) is { } kept)
        {
            kept.CopyTo(pixels);
            return;
        }

        ShapePainter.Draw(ClassOf(index), Height, new CounterRandom(_seed, RandomPurpose.Shape, index), pixels);
        if (_drawn is not null)
            Volatile.Write(ref _drawn[index], pixels.ToArray());
    }

    private static int Checked(int size) => size is >= LeastSize and <= MostSize
        ? size
        : throw new ArgumentException($"Shapes of {size}x{size} pixels were asked for; give a size of {LeastSize} to {MostSize}.");
}
