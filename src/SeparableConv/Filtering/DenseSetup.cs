using SeparableConv.Loops;

namespace SeparableConv.Filtering;

/// <summary>Turns a dense plan into the tables that <see cref="DenseBands"/> runs on.</summary>
internal static unsafe class DenseSetup
{
    // A window of 128 KB stays in a second-level cache. Longer lines are fetched ahead by the machine too: 3x3 over 3840x2160 floats takes
    // 4.5 ms with lines of 1024 on Zen 5, 3.0 with whole rows.
    private const int WindowFloats = 32768;

    public static DenseBands Create(FilterPlan plan, FilterBorders borders, SimdWidth widest, PinnedTables tables, out SimdWidth width)
    {
        var shape = plan.Shape;
        var kernel = plan.Options.Convolve ? plan.Kernel.Flip() : plan.Kernel;
        var strips = borders.Strips(WindowFloats / (kernel.Height + 3));
        var stripPixels = Strip.Largest(strips, shape.Width);
        var stripElements = Strip.Smallest(strips, shape.Width) * shape.Channels;
        width = SeparableSetup.Narrow(widest, stripElements, DensePass.Vectors);

        var bands = new DenseBands
        {
            Height = shape.Height,
            Width = shape.Width,
            Channels = shape.Channels,
            BandRows = SeparableSetup.BandRows(shape),
            Strips = strips,
            Span = kernel.Height,
            FirstRow = -borders.Above,
            Before = borders.Before,
            After = borders.After,
            LineStride = ((((nint)(stripPixels + borders.Before + borders.After) * shape.Channels) + 63) / 64 * 64) + 16,
            Border = plan.Options.Border,
            BorderValue = (float)plan.Options.ConstantValue,
            BorderColumns = borders.Columns(tables),
        };
        AddFour(ref bands, kernel, plan.Options.Scale, tables);
        AddSingle(ref bands, kernel, plan.Options.Scale, tables);
        bands.Four.Offset = (float)plan.Options.Offset;
        return bands;
    }

    private static float Weight(FilterKernel kernel, int i, int j, double scale) =>
        (uint)i < (uint)kernel.Height ? (float)(kernel[i, j] * scale) : 0f;

    private static void AddFour(ref DenseBands bands, FilterKernel kernel, double scale, PinnedTables tables)
    {
        var lines = new List<int>();
        var columns = new List<int>();
        var weights = new List<float>();
        Span<float> four = stackalloc float[4];
        for (var i = 0; i < kernel.Height + 3; i++)
        {
            for (var j = 0; j < kernel.Width; j++)
            {
                for (var row = 0; row < 4; row++)
                    four[row] = Weight(kernel, i - row, j, scale);
                if (!four.ContainsAnyExcept(0f))
                    continue;
                lines.Add(i);
                columns.Add(j * bands.Channels);
                weights.AddRange(four);
            }
        }

        bands.FourLines = tables.Add<int>(lines.ToArray());
        bands.FourColumns = tables.Add<int>(columns.ToArray());
        bands.Four.Weights = tables.Add<float>(weights.ToArray());
        bands.Four.Taps = lines.Count;
    }

    private static void AddSingle(ref DenseBands bands, FilterKernel kernel, double scale, PinnedTables tables)
    {
        var lines = new List<int>();
        var columns = new List<int>();
        var weights = new List<float>();
        for (var i = 0; i < kernel.Height; i++)
        {
            for (var j = 0; j < kernel.Width; j++)
            {
                var weight = Weight(kernel, i, j, scale);
                if (weight == 0)
                    continue;
                lines.Add(i);
                columns.Add(j * bands.Channels);
                weights.Add(weight);
            }
        }

        bands.SingleLines = tables.Add<int>(lines.ToArray());
        bands.SingleColumns = tables.Add<int>(columns.ToArray());
        bands.SingleWeights = tables.Add<float>(weights.ToArray());
        bands.SingleTaps = weights.Count;
    }
}
