using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// The gradients of a depthwise convolution, of its input and of its weights (kH, kW, C, M), from one reading of the output gradient:
/// dx[n,y,x,c] = sum over i,j,m with y = i*s+u*d-p, x = j*s+v*d-p of dz[n,i,j,c*M+m] * w[u,v,c,m],
/// dw[u,v,c,m] = sum over n,i,j of x[n, i*s+u*d-p, j*s+v*d-p, c] * dz[n,i,j,c*M+m].
/// </summary>
/// <remarks>
/// Input row by input row. The rows of dz that one of them meets stay in scratch memory, with zeros at both ends so that the loop tests
/// nothing. They are made from what is stored (<see cref="GradientMap"/>) when they are first met. Columns a stride apart are
/// met by the same taps, and are one run of <see cref="DepthwiseGradientTaps"/> for each 3x3 of them.
/// </remarks>
internal sealed unsafe class DepthwiseGradientLoop : ConvGradientLoop
{
    private readonly ConvGeometry _geometry;
    private readonly int _multiplier;
    private readonly SimdWidth _width;
    private readonly int _vectors;
    private readonly int _taps;
    private readonly GradientParts _parts;

    // Rows of dz that one input row can meet, and zeros on either side of each.
    private readonly int _ringRows;
    private readonly int _padLeft;
    private readonly int _padRight;

    // All taps of an input pixel are one run, which then also maps what it reads and masks what it writes.
    private readonly bool _mapsInTaps;

    // The input's gradient is then stored past the caches: not where taps come in several runs, since what one has written the next one
    // reads.
    private readonly bool _isLarge;

    /// <summary>Prepares for images of one size.</summary>
    public DepthwiseGradientLoop(in ConvGeometry geometry, SimdWidth width)
    {
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        _geometry = geometry;
        _multiplier = geometry.OutChannels / geometry.InChannels;
        _taps = rows.Kernel * columns.Kernel * _multiplier;
        _mapsInTaps = IsOneRun(geometry);
        _isLarge = _mapsInTaps && LargeMemory.Holds((long)geometry.Batch * rows.In * columns.In * geometry.InChannels);
        _width = Width(geometry, width);
        _vectors = (geometry.InChannels + (int)_width - 1) / (int)_width;
        _parts = GradientParts.Cut(geometry.Batch, rows.In);
        _ringRows = ((rows.Span - 1) / rows.Stride) + 1;
        _padLeft = Math.Max(0, columns.Span - 1 - columns.PadBefore + columns.Stride - 1) / columns.Stride;
        _padRight = Math.Max(0, ((columns.In - 1 + columns.PadBefore) / columns.Stride) - (columns.Out - 1));
    }

    /// <summary>Floats that <see cref="Run"/> needs beside its tensors.</summary>
    public override nint ScratchFloats => PackedFloats + (_parts.Count * PartFloats);

    private nint PackedFloats => (nint)_vectors * _taps * (int)_width;

    // The weights' gradient of a part, then the two sums.
    private nint PartFloats => PackedFloats + (2 * (nint)_vectors * (int)_width);

    /// <inheritdoc/>
    public override void Run(in ConvGradientCall call, float* scratch, int threads)
    {
        Pack(call.Weights, scratch);
        var work = new Work { Loop = this, Call = call, Packed = scratch, Sums = scratch + PackedFloats };
        WorkerPool.Shared.Run(ref work, _parts.Count, threads);
        Unpack(call, scratch + PackedFloats);
    }

    // Where taps come in several runs the later ones add, which an overlapping vector must not do twice.
    private static SimdWidth Width(in ConvGeometry g, SimdWidth width)
    {
        width = SimdWidths.ForChannels(width, g.InChannels);
        while (!IsOneRun(g) && g.InChannels % (int)width != 0)
            width = width == SimdWidth.V128 ? SimdWidth.Scalar : (SimdWidth)((int)width / 2);
        return width;
    }

    private static bool IsOneRun(in ConvGeometry g) =>
        g.OutChannels == g.InChannels && g.Rows.Kernel <= 3 && g.Columns.Kernel <= 3;

    private int FirstChannel(int vector) => Math.Min(vector * (int)_width, _geometry.InChannels - (int)_width);

    // Where a vector's first lane lies in weights (tap, c, m); the next lanes follow M floats apart.
    private nint WeightOffset(int vector, int tap)
    {
        var (position, m) = Math.DivRem(tap, _multiplier);
        return ((((nint)position * _geometry.InChannels) + FirstChannel(vector)) * _multiplier) + m;
    }

    // (tap, c, m) to [vector][tap*M + m][lane].
    private void Pack(float* weights, float* packed)
    {
        var (lanes, m) = ((int)_width, _multiplier);
        for (var vector = 0; vector < _vectors; vector++)
        {
            for (var tap = 0; tap < _taps; tap++)
            {
                var source = weights + WeightOffset(vector, tap);
                for (var lane = 0; lane < lanes; lane++)
                    *packed++ = source[lane * m];
            }
        }
    }

    // Sums lie [part][vector][tap*M + m][lane]; the last vector may overlap the one before, with the same sums.
    private void Unpack(in ConvGradientCall call, float* sums)
    {
        var (lanes, m) = ((int)_width, _multiplier);
        if (call.WeightGradient != null)
        {
            Partials.AddInDouble(sums, PartFloats, _parts.Count, checked((int)PackedFloats));
            var source = sums;
            for (var vector = 0; vector < _vectors; vector++)
            {
                for (var tap = 0; tap < _taps; tap++, source += lanes)
                {
                    var target = call.WeightGradient + WeightOffset(vector, tap);
                    for (var lane = 0; lane < lanes; lane++)
                        target[lane * m] = source[lane];
                }
            }
        }

        if (call.ShiftGradient == null)
            return;
        MaskedSums.Total(
            sums + PackedFloats, PartFloats, _parts.Count, call.ShiftGradient, call.ScaleGradient, _geometry.InChannels, _width);
    }

    private struct Work : IParallelWork
    {
        public DepthwiseGradientLoop Loop;
        public ConvGradientCall Call;
        public float* Packed;
        public float* Sums;

        public readonly void Execute(int part)
        {
            var work = new PartWork { Work = this, Part = part };
            Loop._width.Dispatch(ref work);
        }
    }

    private struct PartWork : ISimdWork
    {
        public Work Work;
        public int Part;

        public readonly void Run<TSimd, TVec>()
            where TSimd : struct, ISimd<TVec>
            where TVec : struct
        {
            var loop = Work.Loop;
            var sums = Work.Sums + (Part * loop.PartFloats);
            new Span<float>(sums, checked((int)loop.PartFloats)).Clear();
            var (firstImage, endImage, firstRow, endRow) = loop._parts.Part(Part);
            for (var image = firstImage; image < endImage; image++)
                new Band<TSimd, TVec>(loop, Work.Call, Work.Packed, sums, image).Run(firstRow, endRow);
            LargeMemory.Fence();
        }
    }

    /// <summary>Some input rows of one image.</summary>
    private readonly ref struct Band<TSimd, TVec>
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        private readonly DepthwiseGradientLoop _loop;
        private readonly ConvGradientCall _call;
        private readonly AxisGeometry _rows;
        private readonly AxisGeometry _columns;
        private readonly int _channels;
        private readonly float* _packed;
        private readonly float* _sums;
        private readonly float* _ring;
        private readonly float* _input;
        private readonly float* _inputGradient;

        public Band(DepthwiseGradientLoop loop, in ConvGradientCall call, float* packed, float* sums, int image)
        {
            (_loop, _call) = (loop, call);
            _packed = packed;
            _sums = sums;
            (_rows, _columns, _channels) = (loop._geometry.Rows, loop._geometry.Columns, loop._geometry.InChannels);
            var input = (nint)image * _rows.In * _columns.In * _channels;
            var output = (nint)image * _rows.Out * _columns.Out * loop._geometry.OutChannels;
            _call.Input += input;
            if (call.InputGradient != null)
                _call.InputGradient += input;
            _call.OutputGradient += output;
            _call.Output += output;

            // The ring, an input row and a row for a gradient that nobody wants.
            var row = (nint)_columns.In * _channels;
            _ring = Scratch.Floats((loop._ringRows * RingRow) + (2 * row));
            _input = _ring + (loop._ringRows * RingRow);
            _inputGradient = _input + row;
            ClearPadding();
        }

        // What is left and right of each row of each plane; the rest is filled before it is read.
        private void ClearPadding()
        {
            var (left, right) = (_loop._padLeft * RingPixel, _loop._padRight * RingPixel);
            for (var plane = 0; plane < _loop._ringRows * _loop._multiplier; plane++)
            {
                var row = _ring + (plane * RingPlane);
                new Span<float>(row, checked((int)left)).Clear();
                new Span<float>(row + RingPlane - right, checked((int)right)).Clear();
            }
        }

        private int PaddedColumns => _loop._padLeft + _columns.Out + _loop._padRight;

        // Pixels of a ring's row, and rows of it, lie in different sets of the first-level cache.
        private nint RingPixel => Scratch.RowStride(_channels);

        // A plane for each m.
        private nint RingPlane => PaddedColumns * RingPixel;

        private nint RingRow => RingPlane * _loop._multiplier;

        public void Run(int firstRow, int endRow)
        {
            var filled = 0;
            for (var y = firstRow; y < endRow; y++)
            {
                var origin = y + _rows.PadBefore;
                var first = Math.Max(0, (origin - _rows.Span + 1 + _rows.Stride - 1) / _rows.Stride);
                var last = Math.Min(_rows.Out - 1, origin / _rows.Stride);
                for (filled = Math.Max(filled, first); filled <= last; filled++)
                    Fill(filled);
                RunRow(y, ahead: y + 1 < endRow ? (nint)_columns.In * _channels : 0);
            }
        }

        private float* RingAt(int outputRow) => _ring + (outputRow % _loop._ringRows * RingRow);

        private void Fill(int outputRow)
        {
            var outChannels = _loop._geometry.OutChannels;
            var at = (nint)outputRow * _columns.Out * outChannels;
            var target = RingAt(outputRow) + (_loop._padLeft * RingPixel);
            if (_loop._multiplier == 1)
            {
                if (_call.OutputMap.IsPresent)
                {
                    ChannelRows.Map<TSimd, TVec>(
                        _call.OutputMap, _call.OutputGradient + at, _call.Output + at, target, RingPixel, _columns.Out, _channels);
                }
                else
                {
                    // Rows are one piece unless pixels are kept apart.
                    var pieces = RingPixel == _channels ? 1 : _columns.Out;
                    var floats = (nint)_columns.Out / pieces * _channels;
                    for (var j = 0; j < pieces; j++)
                    {
                        Buffer.MemoryCopy(
                            _call.OutputGradient + at + (j * floats),
                            target + (j * RingPixel),
                            floats * sizeof(float),
                            floats * sizeof(float));
                    }
                }

                return;
            }

            for (var j = 0; j < _columns.Out; j++)
            {
                for (var o = 0; o < outChannels; o++, at++)
                {
                    var g = _call.OutputGradient[at];
                    if (_call.OutputMap.IsPresent)
                        g = Mapped(o, g, _call.Output[at]);
                    var (c, m) = Math.DivRem(o, _loop._multiplier);
                    target[(m * RingPlane) + (j * RingPixel) + c] = g;
                }
            }
        }

        private float Mapped(int o, float g, float z)
        {
            ref readonly var map = ref _call.OutputMap;
            return MathF.FusedMultiplyAdd(map.Scale[o], g, MathF.FusedMultiplyAdd(map.Slope[o], z - map.Center[o], map.Offset[o]));
        }

        private void RunRow(int y, nint ahead)
        {
            var at = (nint)y * _columns.In * _channels;
            var z = _call.Input + at;
            var x = z;
            var isMapped = _call.InputMap.IsPresent;
            if (isMapped && !_loop._mapsInTaps)
                ChannelRows.Map<TSimd, TVec>(_call.InputMap, z, x = _input, _channels, _columns.In, _channels);
            var dx = _call.InputGradient != null ? _call.InputGradient + at : _inputGradient;
            for (var phase = 0; phase < Math.Min(_columns.Stride, _columns.In); phase++)
                RunPhase(y, phase, x, dx, ahead);
            if (isMapped && _call.InputGradient != null && !_loop._mapsInTaps)
            {
                var sums = _sums + _loop.PackedFloats;
                ChannelRows.Mask<TSimd, TVec>(
                    _call.InputMap, z, dx, _columns.In, _channels, sums, sums + ((nint)_loop._vectors * TSimd.Count));
            }
        }

        // The input columns phase, phase + stride, ...: the taps v with (phase + pad - v*dilation) a multiple of the stride.
        private void RunPhase(int y, int phase, float* x, float* dx, nint ahead)
        {
            var run = new DepthwiseGradientRun
            {
                Input = x + ((nint)phase * _channels),
                InputGradient = dx + ((nint)phase * _channels),
                InputStep = (nint)_columns.Stride * _channels,
                Pixels = (_columns.In - phase + _columns.Stride - 1) / _columns.Stride,
                Ahead = ahead,
                IsLarge = _loop._isLarge && _call.InputGradient != null,
                OutputStep = RingPixel,
                Packed = _packed,
                Gradients = _sums,
                VectorStep = (nint)_loop._taps * TSimd.Count,
                Vectors = _loop._vectors,
                Channels = _channels,
            };
            if (_loop._mapsInTaps)
            {
                run.Map = _call.InputMap;
                run.Sums = _sums + _loop.PackedFloats;
                run.ProductSums = run.Sums + ((nint)_loop._vectors * TSimd.Count);
            }

            var (firstU, stepU) = Meeting(y + _rows.PadBefore, _rows);
            var (firstV, stepV) = Meeting(phase + _columns.PadBefore, _columns);
            Span<int> taps = stackalloc int[3];
            if (firstV < _columns.Kernel)
            {
                for (var m = 0; m < _loop._multiplier; m++)
                {
                    var count = 0;
                    for (var u = firstU; u < _rows.Kernel; u += stepU)
                    {
                        var i = (y + _rows.PadBefore - (u * _rows.Dilation)) / _rows.Stride;
                        if (y + _rows.PadBefore < u * _rows.Dilation || i >= _rows.Out)
                            continue;
                        taps[count++] = u;
                        if (count == taps.Length)
                        {
                            RunTaps(ref run, y, phase, m, taps, firstV, stepV);
                            count = 0;
                        }
                    }

                    if (count > 0)
                        RunTaps(ref run, y, phase, m, taps[..count], firstV, stepV);
                }
            }

            // No output reads these pixels.
            if (!run.Adds)
            {
                for (var p = 0; p < run.Pixels; p++)
                    new Span<float>(run.InputGradient + (p * run.InputStep), _channels).Clear();
            }
        }

        // The first tap that meets a position, and the distance to the next: t with (position - t*dilation) a multiple of the stride.
        private static (int First, int Step) Meeting(int position, in AxisGeometry axis)
        {
            for (var t = 0; t < Math.Min(axis.Kernel, axis.Stride); t++)
            {
                if ((position - (t * axis.Dilation)) % axis.Stride != 0)
                    continue;
                var step = 1;
                while (step * axis.Dilation % axis.Stride != 0)
                    step++;
                return (t, step);
            }

            return (axis.Kernel, 1);
        }

        private void RunTaps(ref DepthwiseGradientRun run, int y, int phase, int m, ReadOnlySpan<int> taps, int firstV, int stepV)
        {
            var plane = m * RingPlane;
            run.Row0 = Row(y, taps[0]) + plane;
            run.Row1 = taps.Length > 1 ? Row(y, taps[1]) + plane : run.Row0;
            run.Row2 = taps.Length > 2 ? Row(y, taps[2]) + plane : run.Row0;
            run.ColumnStep = -((nint)stepV * _columns.Dilation / _columns.Stride) * RingPixel;
            for (var v = firstV; v < _columns.Kernel; v += 3 * stepV)
            {
                var columns = Math.Min(3, (_columns.Kernel - v + stepV - 1) / stepV);
                var moved = run;
                var offset = Column(phase, v);
                moved.Row0 += offset;
                moved.Row1 += offset;
                moved.Row2 += offset;
                for (var r = 0; r < taps.Length; r++)
                {
                    for (var c = 0; c < columns; c++)
                    {
                        var tap = (((taps[r] * _columns.Kernel) + v + (c * stepV)) * _loop._multiplier) + m;
                        moved.Weights[(3 * r) + c] = tap * TSimd.Count;
                    }
                }

                DepthwiseGradientTaps.Run<TSimd, TVec>(taps.Length, columns, moved);
                run.Adds = true;
            }
        }

        private float* Row(int y, int u) => RingAt((y + _rows.PadBefore - (u * _rows.Dilation)) / _rows.Stride);

        private nint Column(int phase, int v) =>
            (_loop._padLeft + (nint)FloorDivide(phase + _columns.PadBefore - (v * _columns.Dilation), _columns.Stride)) * RingPixel;

        private static int FloorDivide(int value, int divisor) => value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);
    }
}
