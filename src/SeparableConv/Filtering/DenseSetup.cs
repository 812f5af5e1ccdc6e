using SeparableConv.Loops;

namespace SeparableConv.Filtering;

/// <summary>Turns a dense plan into the tables that <see cref="DenseBands"/> runs on.</summary>
internal static unsafe class DenseSetup
{
    // A window of eight such lines fits a first-level cache, one of 32 lines a second-level one.
    private const int StripElements = 1024;

    public static DenseBands Create(FilterPlan plan, FilterBorders borders, SimdWidth widest, PinnedTables tables, out SimdWidth width)
    {
        var shape = plan.Shape;
        var kernel = plan.Options.Convolve ? plan.Kernel.Flip() : plan.Kernel;
        var strips = borders.Strips(StripElements);
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
            IsPaired = stripElements >= DensePass.Vectors * (int)width,
            Span = kernel.Height,
            FirstRow = -borders.Above,
            Before = borders.Before,
            After = borders.After,
            LineStride = ((((nint)(stripPixels + borders.Before + borders.After) * shape.Channels) + 63) / 64 * 64) + 16,
            Border = plan.Options.Border,
            BorderValue = (float)plan.Options.ConstantValue,
            BorderColumns = borders.Columns(tables),
        };
        AddPair(ref bands, kernel, plan.Options.Scale, tables);
        AddSingle(ref bands, kernel, plan.Options.Scale, tables);
        bands.Pair.Offset = (float)plan.Options.Offset;
        return bands;
    }

    private static float Weight(FilterKernel kernel, int i, int j, double scale) =>
        (uint)i < (uint)kernel.Height ? (float)(kernel[i, j] * scale) : 0f;

    private static void AddPair(ref DenseBands bands, FilterKernel kernel, double scale, PinnedTables tables)
    {
        var lines = new List<int>();
        var columns = new List<int>();
        var upperWeights = new List<float>();
        var lowerWeights = new List<float>();

        int AddGroup(ref DenseBands bands, bool needsUpper, bool needsLower)
        {
            var before = lines.Count;
            for (var i = 0; i <= kernel.Height; i++)
            {
                for (var j = 0; j < kernel.Width; j++)
                {
                    var upper = Weight(kernel, i, j, scale);
                    var lower = Weight(kernel, i - 1, j, scale);
                    if (upper != 0 != needsUpper || lower != 0 != needsLower)
                        continue;
                    lines.Add(i);
                    columns.Add(j * bands.Channels);
                    if (needsUpper)
                        upperWeights.Add(upper);
                    if (needsLower)
                        lowerWeights.Add(lower);
                }
            }

            return lines.Count - before;
        }

        bands.Pair.Upper = AddGroup(ref bands, needsUpper: true, needsLower: false);
        bands.Pair.Both = AddGroup(ref bands, needsUpper: true, needsLower: true);
        bands.Pair.Lower = AddGroup(ref bands, needsUpper: false, needsLower: true);
        bands.PairLines = tables.Add<int>(lines.ToArray());
        bands.PairColumns = tables.Add<int>(columns.ToArray());
        bands.Pair.UpperWeights = tables.Add<float>(upperWeights.ToArray());
        bands.Pair.LowerWeights = tables.Add<float>(lowerWeights.ToArray());
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
