namespace SeparableConv.Loops;

/// <summary>
/// Depthwise convolution of large kernels. The input rows of a vector of channels lie side by side in scratch memory, pixel after pixel,
/// with zeros on both sides and the columns sorted by their remainder under the stride: all output columns then have the same taps, and
/// neighbouring pixels are neighbouring vectors. In the image they lie all channels apart, often in a few sets of the first-level cache.
/// <see cref="DepthwiseTaps"/> computes the sums.
/// </summary>
internal static unsafe class DepthwisePadded
{
    // With fewer taps a pixel is read too seldom to be worth a copy.
    private const int LeastTaps = 16;
    private const long MostBytes = 1024 * 1024;

    // Taps that are listed at a time, those of some output rows.
    private const int MostListed = 32 * 1024;

    // Pixels that DepthwiseTaps takes together; where a row has few less, some that are not wanted make them up.
    private const int PixelsTogether = 8;
    private const int LeastPixels = 4;

    /// <summary>Whether a kernel is large, and the rows that it spans fit into the second-level cache.</summary>
    public static bool Handles(in ConvGeometry g, int lanes) =>
        g.Rows.Kernel * g.Columns.Kernel >= LeastTaps && g.Rows.Span * (long)new Row(g, lanes).Floats * sizeof(float) <= MostBytes;

    public static void Run<TSimd, TVec>(in DepthwiseBlock block, in ConvGeometry g, Activation activation, SimdWidth width)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var row = new Row(g, TSimd.Count);
        var (window, taps) = (g.Rows.Span, g.Rows.Kernel * g.Columns.Kernel);
        var lines = Math.Clamp(MostListed / taps, 1, block.EndRow - block.FirstRow);
        var floats = ((window * row.Floats) + (PixelsTogether * TSimd.Count) + 1) & ~1;
        var listed = checked(((nint)lines * taps * (sizeof(float*) + sizeof(int))) + (window * sizeof(int)));
        var rows = (float*)Scratch.Bytes((floats * sizeof(float)) + listed);
        var few = rows + (window * row.Floats);
        var inputs = (float**)(rows + floats);
        var numbers = (int*)(inputs + ((nint)lines * taps));
        var held = new Span<int>(numbers + ((nint)lines * taps), window);

        // Columns of the image are written over again and again, those beside it stay 0.
        new Span<float>(rows, checked((int)(window * row.Floats))).Clear();
        var run = new DepthwiseRun
        {
            KernelTaps = taps,
            InputStep = TSimd.Count,
            OutputStep = row.IsMadeUp ? TSimd.Count : block.OutputPixelStride,
            Pixels = row.Pixels,
            EndVector = 1,
            Channels = TSimd.Count,
            Lower = block.Lower,
            Upper = block.Upper,
        };
        for (var top = block.FirstRow; top < block.EndRow; top += lines)
        {
            // What each vector of channels reads of the padded rows, and which of its weights, is the same for all of them.
            var end = Math.Min(block.EndRow, top + lines);
            for (var y = top; y < end; y++)
                ListTaps(row, rows, window, g, y, inputs + ((nint)(y - top) * taps), numbers + ((nint)(y - top) * taps));
            for (var vector = block.FirstVector; vector < block.EndVector; vector++)
            {
                var channel = Math.Min(vector * TSimd.Count, block.OutChannels - TSimd.Count);
                run.Weights = block.Weights + ((nint)vector * taps * TSimd.Count);
                run.Bias = block.Bias + (vector * TSimd.Count);
                held.Fill(-1);
                for (var y = top; y < end; y++)
                {
                    FillRows<TSimd, TVec>(row, block, channel, rows, held, g, y);
                    var tapRows = g.Rows.Taps(y);
                    run.Taps = (tapRows.End - tapRows.Start) * g.Columns.Kernel;
                    run.Inputs = inputs + ((nint)(y - top) * taps);
                    run.Numbers = numbers + ((nint)(y - top) * taps);
                    var output = block.OutputRow(y, g.Columns.Out) + channel;
                    run.Output = row.IsMadeUp ? few : output;
                    DepthwiseTaps.Run<TSimd, TVec, ReadsItsOwn>(run);
                    for (var x = 0; row.IsMadeUp && x < g.Columns.Out; x++)
                        TSimd.Store(TSimd.Load(few + (x * TSimd.Count)), output + (x * block.OutputPixelStride));
                }
            }
        }

        for (var y = block.FirstRow; y < block.EndRow; y++)
            block.Activate(activation, block.OutputRow(y, g.Columns.Out), g.Columns.Out, width);
    }

    // The taps of an output row inside the image. Input row i lies in slot i % window.
    private static void ListTaps(in Row row, float* rows, int window, in ConvGeometry g, int y, float** inputs, int* numbers)
    {
        var (first, end) = g.Rows.Taps(y);
        for (var tap = first; tap < end; tap++)
        {
            var slot = (g.Rows.InputStart(y) + (tap * g.Rows.Dilation)) % window;
            for (var x = 0; x < g.Columns.Kernel; x++)
            {
                *inputs++ = rows + (slot * row.Floats) + row.Offset(x * g.Columns.Dilation);
                *numbers++ = (tap * g.Columns.Kernel) + x;
            }
        }
    }

    // Copies the input rows of an output row that are not held yet.
    private static void FillRows<TSimd, TVec>(
        in Row row, in DepthwiseBlock block, int channel, float* rows, Span<int> held, in ConvGeometry g, int y)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (first, end) = g.Rows.Taps(y);
        for (var tap = first; tap < end; tap++)
        {
            var inY = g.Rows.InputStart(y) + (tap * g.Rows.Dilation);
            var slot = inY % held.Length;
            if (held[slot] == inY)
                continue;
            row.Fill<TSimd, TVec>(block.InputRow(inY, g.Columns.In) + channel, g.InChannels, rows + (slot * row.Floats));
            held[slot] = inY;
        }
    }

    /// <summary>A padded row is [column % stride][column / stride][lane], columns counted from the left border.</summary>
    private readonly struct Row
    {
        private readonly AxisGeometry _columns;
        private readonly int _stride;
        private readonly int _lanes;
        private readonly nint _phase;

        public Row(in ConvGeometry g, int lanes)
        {
            (_columns, _lanes) = (g.Columns, lanes);
            Pixels = _columns.Out is >= LeastPixels and < PixelsTogether ? PixelsTogether : _columns.Out;

            // A row is padded to a whole number of strides; a single column takes none, however long they are.
            _stride = _columns.Out == 1 ? 1 : _columns.Stride;
            var needed = ((Pixels - 1) * (nint)_stride) + _columns.Span;
            _phase = (needed + _stride - 1) / _stride * lanes;
        }

        /// <summary>Output pixels that are computed.</summary>
        public int Pixels { get; }

        public bool IsMadeUp => Pixels > _columns.Out;

        public nint Floats => _phase * _stride;

        /// <summary>Where a column, counted from the left border, begins.</summary>
        public nint Offset(int column) => (column % _stride * _phase) + ((nint)(column / _stride) * _lanes);

        public void Fill<TSimd, TVec>(float* from, nint channels, float* to)
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var end = (int)Math.Clamp((Floats / _lanes) - _columns.PadBefore, 0, _columns.In);

            // A stride's worth of passes, each of which writes from left to right.
            for (var first = 0; first < Math.Min(_stride, end); first++)
            {
                var target = to + Offset(first + _columns.PadBefore);
                for (var x = first; x < end; x += _stride, target += TSimd.Count)
                    TSimd.Store(TSimd.Load(from + (x * channels)), target);
            }
        }
    }
}
