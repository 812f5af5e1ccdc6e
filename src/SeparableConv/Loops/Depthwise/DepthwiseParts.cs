namespace SeparableConv.Loops;

/// <summary>
/// How a depthwise convolution is cut: parts for the threads, and slices of channels within a part for the cache. An output value
/// is the same sum wherever the cuts are, so they may depend on the number of threads.
/// </summary>
internal struct DepthwiseParts
{
    /// <summary>Bytes of an input row that one run of steps reads where rows are streamed.</summary>
    public const int RunBytes = 2 * 1024;

    // Images above this come from beyond the second-level cache.
    private const int StreamedBytes = 1024 * 1024;

    // A slice of so many bytes of the rows at work stays in the first-level cache from one pair of rows to the next.
    private const int SliceBytes = 24 * 1024;
    private const int LeastSliceChannels = 64;

    // A large image is cut finer, for a thread that was held up to be helped; a small one once a thread, because
    // lines that two cores touch cost more than waiting.
    private const int BandsAThread = 4;

    // Rows that another core wrote come at ten times the price: 7x7x960 on two threads took 16 us by rows, 7 by channels.
    private const int LeastBandRows = 12;

    private int _rows;
    private int _bandRows;
    private int _bands;
    private int _vectors;
    private int _slices;
    private int _groups;

    public int Count { get; private set; }

    public readonly int Slices => _slices;

    /// <summary>
    /// Whether an image is so large that its rows are read from end to end, all channels of a few pixels at a time, as the hardware
    /// prefetches: a walk along one vector of channels was up to 1.6 times slower (112x112x64, stride 2). Smaller ones are sliced.
    /// </summary>
    public static bool StreamsRows(in ConvGeometry g) =>
        (long)g.Rows.In * g.Columns.In * g.InChannels * sizeof(float) > StreamedBytes;

    /// <summary>Cuts; across the channels only where <paramref name="sliceable"/>.</summary>
    public static DepthwiseParts Cut(in ConvGeometry g, bool sliceable, int vectors, int lanes, int threads)
    {
        var parts = new DepthwiseParts { _rows = g.Rows.Out, _vectors = vectors, _slices = 1, _groups = 1 };
        var streams = StreamsRows(g);
        if (sliceable && !streams)
        {
            var rowsAtWork = g.Rows.Kernel + (2 * g.Rows.Stride);
            var channels = Math.Max(LeastSliceChannels, SliceBytes / (rowsAtWork * g.Columns.In * sizeof(float)));

            // The last vector may overlap the one before; slices of two and more keep both in one slice.
            parts._slices = Math.Max(1, Math.Min(vectors * lanes / channels, vectors / 2));
        }

        var bands = ((streams ? BandsAThread * threads : threads) + g.Batch - 1) / g.Batch;
        if (parts._slices > 1 && g.Batch < threads && g.Rows.Out < LeastBandRows * threads)
        {
            // So few rows that most of a band's are also read by its neighbour: channels share nothing.
            bands = 1;
            parts._groups = Math.Min((threads + g.Batch - 1) / g.Batch, vectors / 2);
            parts._slices = Math.Min((parts._slices + parts._groups - 1) / parts._groups * parts._groups, vectors / 2);
        }

        parts._bandRows = Math.Max(2, ((g.Rows.Out + bands - 1) / bands) + 1 & ~1);
        parts._bands = (g.Rows.Out + parts._bandRows - 1) / parts._bandRows;
        parts.Count = checked(g.Batch * parts._bands * parts._groups);
        return parts;
    }

    /// <summary>Which image, rows and slices a part is.</summary>
    public readonly (int Image, int FirstRow, int EndRow, int FirstSlice, int EndSlice) Part(int part)
    {
        var band = part % _bands;
        var group = part / _bands % _groups;
        return (
            part / _bands / _groups,
            band * _bandRows,
            Math.Min(_rows, (band + 1) * _bandRows),
            Cut(_slices, group, _groups),
            Cut(_slices, group + 1, _groups));
    }

    /// <summary>The vectors of a slice.</summary>
    public readonly (int First, int End) Slice(int slice) => (Cut(_vectors, slice, _slices), Cut(_vectors, slice + 1, _slices));

    private static int Cut(int count, int part, int parts) => (int)((long)count * part / parts);
}
