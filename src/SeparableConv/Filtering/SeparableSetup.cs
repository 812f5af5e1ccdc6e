using System.Runtime.InteropServices;
using SeparableConv.Loops;

namespace SeparableConv.Filtering;

/// <summary>Turns a separable plan into the tables that <see cref="SeparableBands"/> runs on.</summary>
internal static unsafe class SeparableSetup
{
    // Floats are bound by memory: what a short strip fetches ahead arrives while its rows are summed. Bytes are not, and gain from long
    // rows, as long as four lines of sums stay in a second-level cache. Measured at 3840x2160 on Zen 5: 7x7 on floats x 1 takes 2.9 ms
    // with strips of 256, 3.9 with 768, 3.8 with whole rows; 5x5 on bytes x 3 5.1 with 1024, 4.6 with 4096, 4.1 with whole rows.
    private const int StripElements = 8192;
    private const int FloatStripElements = 320;

    /// <summary>Vectors that a strip should have room for.</summary>
    public const int Vectors = 4;

    public static SeparableBands Create<TIn>(
        FilterPlan plan, FilterBorders borders, SimdWidth widest, PinnedTables tables, out SimdWidth width)
        where TIn : unmanaged
    {
        var shape = plan.Shape;
        var terms = plan.Separable!.Terms;
        var reach = borders.Before + borders.After;
        var strips = borders.Strips(Math.Max((typeof(TIn) == typeof(float) ? FloatStripElements : StripElements) / terms.Count, 256));
        var stripPixels = Strip.Largest(strips, shape.Width);
        width = Narrow(widest, Strip.Smallest(strips, shape.Width) * shape.Channels, Vectors);

        // Lines a power of two apart would share the sets of the cache; a streamed row starts up to 32 floats before its line, and
        // 16 behind one may be read.
        var lineStride = ((((nint)(stripPixels + reach) * shape.Channels) + 63) / 64 * 64) + 48;
        var bands = new SeparableBands
        {
            Height = shape.Height,
            Width = shape.Width,
            Channels = shape.Channels,
            BandRows = BandRows(shape),
            Strips = strips,
            Before = borders.Before,
            After = borders.After,
            LineStride = lineStride,
            Border = plan.Options.Border,
            TermCount = terms.Count,
        };

        var termPlans = new SeparableTermPlan[terms.Count];
        var offsets = new List<nint>();
        var weights = new List<float>();
        for (var t = 0; t < terms.Count; t++)
        {
            var term = plan.Options.Convolve ? terms[t].Flip() : terms[t];
            termPlans[t] = Column<TIn>(term, borders.Above, plan.Options, width, tables);
            bands.LargestSpan = Math.Max(bands.LargestSpan, termPlans[t].Span);
            for (var j = 0; j < term.Row.Length; j++)
            {
                var weight = (float)(term.Row[j] * plan.Options.Scale);
                if (weight == 0)
                    continue;
                offsets.Add((t * lineStride) + (j * shape.Channels));
                weights.Add(weight);
            }
        }

        bands.Terms = tables.Add<SeparableTermPlan>(termPlans);
        bands.RowTaps.Offsets = tables.Add<nint>(offsets.ToArray());
        bands.RowTaps.Weights = tables.Add<float>(weights.ToArray());
        bands.RowTaps.Taps = weights.Count;
        bands.RowTaps.Mirror = terms.Count == 1 ? Mirrors.Of(CollectionsMarshal.AsSpan(weights)) : Mirror.None;
        bands.RowTaps.Step = Step(offsets, bands.RowTaps.Mirror != Mirror.None);
        bands.RowTaps.Offset = (float)plan.Options.Offset;
        if (terms.Count == 1 && plan.Options.Border != BorderMode.Wrap)
            bands.SmallWeights = SmallWeights(plan, termPlans[0], tables);
        bands.BorderColumns = borders.Columns(tables);
        if (plan.Options.Border == BorderMode.Constant)
            bands.ConstantRow = ConstantRow(plan, tables);
        return bands;
    }

    /// <summary>The widest width of which so many vectors fit in a row; narrower rows run on narrower vectors.</summary>
    public static SimdWidth Narrow(SimdWidth width, int elements, int vectors)
    {
        while (width != SimdWidth.Scalar && (int)width * vectors > elements)
            width = width == SimdWidth.V128 ? SimdWidth.Scalar : (SimdWidth)((int)width / 2);
        return width;
    }

    /// <summary>Rows a band: a multiple of four, about 64 K elements, and never dependent on the number of threads.</summary>
    public static int BandRows(ImageShape shape) => Math.Max(32, ((65536 / shape.RowElements) + 3) / 4 * 4);

    // Between the two halves of mirrored taps may lie anything.
    private static int Step(List<nint> offsets, bool isMirrored)
    {
        if (offsets.Count < 2)
            return 0;
        var step = offsets[1] - offsets[0];
        var half = offsets.Count / 2;
        for (var i = 2; i < offsets.Count; i++)
        {
            var isBetween = isMirrored && i >= half && i <= offsets.Count - half;
            if (!isBetween && offsets[i] - offsets[i - 1] != step)
                return 0;
        }

        return (int)step;
    }

    private static SeparableTermPlan Column<TIn>(
        SeparableTerm term, int above, FilterOptions options, SimdWidth width, PinnedTables tables)
        where TIn : unmanaged
    {
        var column = Array.ConvertAll(term.Column.ToArray(), w => (float)w);
        var first = Array.FindIndex(column, w => w != 0);
        var last = Array.FindLastIndex(column, w => w != 0);
        var span = first < 0 ? [] : column[first..(last + 1)];
        var rows = Enumerable.Range(0, span.Length).Where(i => span[i] != 0).ToArray();
        var weights = Array.ConvertAll(rows, i => span[i]);
        var mirror = Mirrors.Of(weights);
        var sum = 0.0;
        foreach (var weight in column)
            sum += weight;

        return new SeparableTermPlan
        {
            FourLines = FilterLoops.FourLines<TIn>(width, span, mirror),
            OneLine = FilterLoops.OneLine<TIn>(width, mirror),
            FirstRow = Math.Max(first, 0) - above,
            Span = span.Length,
            Weights = tables.Add<float>(span),
            Rows = tables.Add<int>(rows),
            RowWeights = tables.Add<float>(weights),
            Taps = rows.Length,
            BorderSum = (float)(sum * options.ConstantValue),
        };
    }

    // A wrapping border reads the far edge; the others lie near enough for the ends of a row alone.
    private static float* SmallWeights(FilterPlan plan, in SeparableTermPlan column, PinnedTables tables)
    {
        var term = plan.Options.Convolve ? plan.Separable!.Terms[0].Flip() : plan.Separable!.Terms[0];
        var row = Array.ConvertAll(term.Row.ToArray(), weight => (float)(weight * plan.Options.Scale));
        return SmallFilterSetup.Weights(new ReadOnlySpan<float>(column.Weights, column.Span), row, tables);
    }

    private static byte* ConstantRow(FilterPlan plan, PinnedTables tables)
    {
        var count = plan.Shape.RowElements;
        var value = plan.Options.ConstantValue;
        return plan.Shape.Type switch
        {
            ElementType.UInt8 => (byte*)tables.Add<byte>(Filled((byte)value, count)),
            ElementType.UInt16 => (byte*)tables.Add<ushort>(Filled((ushort)value, count)),
            _ => (byte*)tables.Add<float>(Filled((float)value, count)),
        };
    }

    private static T[] Filled<T>(T value, int count)
    {
        var row = new T[count];
        Array.Fill(row, value);
        return row;
    }
}
