namespace SeparableConv.Training.Data;

/// <summary>Drawn shapes; see <see cref="PictureDataSet.Shapes"/>.</summary>
internal sealed class ShapeDataSet : PictureDataSet
{
    private const int LeastSize = 8;
    private const int MostSize = 1024;
    private readonly int _seed;

    public ShapeDataSet(int count, int size, int seed)
        : base(ShapeOutline.Names, Checked(size), size, ShapePainter.Channels)
    {
        if (count < 1)
            throw new ArgumentException($"{count} shapes were asked for; at least one is expected.");
        (Count, _seed) = (count, seed);
    }

    public override int Count { get; }

    public override int ClassOf(int index) => index % Classes.Count;

    protected override void ReadPixels(int index, Span<byte> pixels) =>
        ShapePainter.Draw(ClassOf(index), Height, new CounterRandom(_seed, RandomPurpose.Shape, index), pixels);

    private static int Checked(int size) => size is >= LeastSize and <= MostSize
        ? size
        : throw new ArgumentException($"Shapes of {size}x{size} pixels were asked for; give a size of {LeastSize} to {MostSize}.");
}
