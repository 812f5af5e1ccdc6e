using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// The gradients of a standard or grouped convolution, of its input and of its weights (kH, kW, C/groups, O):
/// dx[n,y,x,c] = sum over u,v,o that meet there of dz[n,i,j,o] * w[u,v,c,o],
/// dw[u,v,c,o] = sum over n,i,j of x[n, i*s+u*d-p, j*s+v*d-p, c] * dz[n,i,j,o].
/// </summary>
/// <remarks>
/// The input's gradient is a convolution of dz with the kernel turned round, after Winograd where that is faster; with a stride, or with
/// groups, a transposed convolution (<see cref="ConvTransposeLoop"/>). The weights' gradient is after Winograd where that is faster
/// (<see cref="WinogradWeightGradient"/>), else a sum of outer products: some output rows at a time, whose input rows are copied with their
/// zeros to memory that stays in the cache. Where taps of a kernel row are neighbours, its taps and channels are one operand.
/// </remarks>
internal sealed unsafe class StandardGradientLoop : ConvGradientLoop
{
    // Steps of one outer product: fewer would load and store the sums too often.
    private const int WantedSteps = 192;
    private const int MostCopiedFloats = 64 * 1024;
    private const int LeastWeightsToShare = 256 * 1024;
    private const int SlicesOfRow = 4;

    private readonly ConvGeometry _geometry;
    private readonly SimdWidth _width;
    private readonly GradientParts _parts;
    private readonly ConvGeometry _turned;
    private readonly StandardForms? _convolution;
    private readonly WinogradWeightGradient? _winograd;
    private readonly ConvTransposeLoop? _transposed;
    private readonly bool _joinsColumns;
    private readonly int _blockRows;
    private readonly int _blockImages;
    private readonly int _slices;

    /// <summary>Prepares for images of one size, with memory for packed weights where the input's gradient is wanted.</summary>
    public StandardGradientLoop(in ConvGeometry geometry, bool wantsInputGradient, SimdWidth width)
    {
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        (_geometry, _width) = (geometry, width);
        _joinsColumns = columns.Dilation == 1 && geometry.Groups == 1;
        _blockRows = Math.Clamp((WantedSteps + columns.Out - 1) / columns.Out, 1, rows.Out);
        var imageFloats = (long)(((rows.Out - 1) * rows.Stride) + rows.Span) * Reach * geometry.InChannels;
        _blockImages = _blockRows < rows.Out
            ? 1
            : (int)Math.Clamp(Math.Min(WantedSteps / (rows.Out * columns.Out), MostCopiedFloats / imageFloats), 1, geometry.Batch);

        // Weights that are too many for every part to have sums of its own are shared out instead, some input channels of a kernel row
        // each.
        _slices = _joinsColumns && WeightCount >= LeastWeightsToShare ? SlicesOfRow : 0;
        _parts = _slices > 0 ? new(geometry.Batch, 1, rows.Out, 1) : GradientParts.Cut(geometry.Batch, rows.Out);
        _winograd = WinogradWeightGradient.Handles(geometry) ? new(geometry, width) : null;
        if (!wantsInputGradient)
            return;
        var weights = new float[checked(WeightCount)];
        if (geometry.Groups == 1 && CanTurn(rows) && CanTurn(columns))
        {
            _turned = new(geometry.Batch, geometry.OutChannels, geometry.InChannels, 1, Turned(rows), Turned(columns));
            var options = new ConvOptions { Dilation = (rows.Dilation, columns.Dilation) };
            _convolution = new StandardForms(
                weights, geometry.Kernel, geometry.OutChannels, geometry.InChannels, options, default, width, StandardForm.Auto);
            _convolution.MakeReady(_turned);
        }
        else
        {
            var turned = new ConvTransposeGeometry(
                geometry.Batch,
                geometry.Output,
                geometry.Input,
                geometry.Kernel,
                (rows.Stride, columns.Stride),
                (rows.Dilation, columns.Dilation),
                rows.PadBefore,
                columns.PadBefore,
                geometry.OutChannels,
                geometry.InChannels,
                geometry.Groups);
            _transposed = new ConvTransposeLoop(weights, default, turned, Activation.None, width);
        }
    }

    /// <summary>Floats that <see cref="Run"/> needs beside its tensors.</summary>
    public override nint ScratchFloats =>
        Math.Max(_winograd?.ScratchFloats ?? PartialFloats, WeightCount + (_convolution?.RefillFloats ?? _transposed?.RefillFloats ?? 0))
        + OutputFloats;

    // Parts that share the weights out add to the gradient itself.
    private nint PartialFloats => _slices > 0 ? 0 : _parts.Count * (nint)WeightCount;

    // The gradient of the output where it is mapped: it is read twice.
    private nint OutputFloats => (nint)_geometry.Batch * _geometry.Rows.Out * _geometry.Columns.Out * _geometry.OutChannels;

    private int GroupChannels => _geometry.InChannels / _geometry.Groups;

    private int WeightCount => checked(_geometry.Kernel.Height * _geometry.Kernel.Width * GroupChannels * _geometry.OutChannels);

    /// <summary>Computes the gradients that are wanted. The input may not be mapped.</summary>
    public override void Run(in ConvGradientCall call, float* scratch, int threads)
    {
        if (call.OutputMap.IsPresent)
        {
            var map = new MapRows
            {
                Call = call,
                Target = scratch,
                Columns = _geometry.Columns.Out,
                Channels = _geometry.OutChannels,
                Width = _width,
                Parts = MapParts,
            };
            WorkerPool.Shared.Run(ref map, map.Parts.Count, threads);
            var mapped = call;
            mapped.OutputMap = default;
            mapped.OutputGradient = scratch;
            Run(mapped, scratch + OutputFloats, threads);
            return;
        }

        if (call.InputGradient != null)
            RunInput(call, scratch, threads);
        if (call.WeightGradient == null)
            return;
        if (_winograd is not null)
        {
            _winograd.Run(call.Input, call.OutputGradient, call.WeightGradient, scratch, threads);
            return;
        }

        var work = new Work { Loop = this, Call = call, Sums = _slices > 0 ? call.WeightGradient : scratch };
        if (_slices > 0)
            new Span<float>(call.WeightGradient, WeightCount).Clear();
        WorkerPool.Shared.Run(ref work, _slices > 0 ? _slices * _geometry.Rows.Kernel : _parts.Count, threads);
        if (_slices == 0)
            Partials.Add(scratch, WeightCount, _parts.Count, call.WeightGradient, WeightCount);
    }

    // Turned round, the padding is what the kernel reaches beyond it.
    private static bool CanTurn(in AxisGeometry axis) =>
        axis.Stride == 1 && axis.PadBefore < axis.Span && axis.In + axis.PadBefore >= axis.Out;

    private static AxisGeometry Turned(in AxisGeometry axis)
    {
        var before = axis.Span - 1 - axis.PadBefore;
        return new(axis.Out, axis.In, axis.Kernel, 1, axis.Dilation, before, axis.In + axis.Span - 1 - axis.Out - before);
    }

    private void RunInput(in ConvGradientCall call, float* scratch, int threads)
    {
        // (kH, kW, C/groups, O) to (kH, kW, O, C/groups), the taps in reverse for convolutions.
        var taps = _geometry.Kernel.Height * _geometry.Kernel.Width;
        var matrix = (nint)GroupChannels * _geometry.OutChannels;
        for (var tap = 0; tap < taps; tap++)
        {
            var target = scratch + ((_transposed is null ? taps - 1 - tap : tap) * matrix);
            TransposeLoop.Run(
                call.Weights + (tap * matrix), _geometry.OutChannels, target, GroupChannels, _geometry.OutChannels, GroupChannels);
        }

        var weights = new ReadOnlySpan<float>(scratch, WeightCount);
        if (_convolution is not null)
        {
            _convolution.Refill(weights, default, scratch + WeightCount, threads);
            _convolution.Run(call.OutputGradient, call.InputGradient, _turned, threads);
        }
        else
        {
            _transposed!.Refill(weights, default, new Span<float>(scratch + WeightCount, _transposed.RefillFloats), threads);
            _transposed.Run(call.OutputGradient, call.InputGradient, threads);
        }
    }

    private GradientParts MapParts => GradientParts.CutRows(checked(_geometry.Batch * _geometry.Rows.Out), _geometry.Columns.Out, 1);

    private struct MapRows : IParallelWork
    {
        public ConvGradientCall Call;
        public float* Target;
        public int Channels;
        public SimdWidth Width;
        public GradientParts Parts;
        public int Columns;

        public readonly void Execute(int part)
        {
            var (_, _, first, end) = Parts.Part(part);
            var at = (nint)first * Columns * Channels;
            var map = new ChannelRows.GradientMapWork
            {
                Map = Call.OutputMap,
                G = Call.OutputGradient + at,
                Z = Call.Output + at,
                Dz = Target + at,
                DzStride = Channels,
                Pixels = (nint)(end - first) * Columns,
                Channels = Channels,
            };
            SimdWidths.ForChannels(Width, Channels).Dispatch(ref map);
        }
    }

    private struct Work : IParallelWork
    {
        public StandardGradientLoop Loop;
        public ConvGradientCall Call;
        public float* Sums;

        public readonly void Execute(int part)
        {
            var block = new Block { EndTap = Loop._geometry.Rows.Kernel, EndRow = Loop.OperandLength };
            var sums = Sums;
            if (Loop._slices > 0)
            {
                var (tap, slice) = Math.DivRem(part, Loop._slices);
                (block.FirstTap, block.EndTap) = (tap, tap + 1);
                block.FirstRow = Loop.OperandLength * slice / Loop._slices;
                block.EndRow = Loop.OperandLength * (slice + 1) / Loop._slices;
                part = 0;
            }
            else
            {
                sums += part * (nint)Loop.WeightCount;
                new Span<float>(sums, Loop.WeightCount).Clear();
            }

            var (firstImage, endImage, firstRow, endRow) = Loop._parts.Part(part);
            for (var image = firstImage; image < endImage; image += Loop._blockImages)
            {
                block.Images = Math.Min(Loop._blockImages, endImage - image);
                for (var row = firstRow; row < endRow; row += Loop._blockRows)
                    Loop.AddRows(Call, sums, image, row, Math.Min(endRow, row + Loop._blockRows), block);
            }
        }
    }

    /// <summary>What is summed at a time: some images, kernel rows, and rows of the left operand.</summary>
    private struct Block
    {
        public int Images;
        public int FirstTap;
        public int EndTap;
        public int FirstRow;
        public int EndRow;
    }

    // Input columns that the output columns of a row read.
    private int Reach => ((_geometry.Columns.Out - 1) * _geometry.Columns.Stride) + _geometry.Columns.Span;

    // Rows of the left operand: the taps of a kernel row with their channels, or one tap's.
    private int OperandLength => _joinsColumns ? _geometry.Columns.Kernel * _geometry.InChannels : GroupChannels;

    // Output rows row up to and without end of some images.
    private void AddRows(in ConvGradientCall call, float* sums, int image, int row, int end, in Block block)
    {
        var (rows, columns, channels) = (_geometry.Rows, _geometry.Columns, _geometry.InChannels);
        var count = ((end - 1 - row) * rows.Stride) + rows.Span;
        nint rowFloats = (nint)Reach * channels;
        var copy = Scratch.Floats(block.Images * count * rowFloats);
        for (var n = 0; n < block.Images; n++)
        {
            for (var i = 0; i < count; i++)
                CopyRow(call.Input, copy + (((n * count) + i) * rowFloats), image + n, rows.InputStart(row) + i, Reach);
        }

        var (filters, groupFilters) = (_geometry.OutChannels, _geometry.OutChannels / _geometry.Groups);
        var segments = block.Images * (end - row);
        var left = stackalloc nint[segments];
        var right = stackalloc nint[segments];
        for (var segment = 0; segment < segments; segment++)
        {
            var (n, i) = Math.DivRem(segment, end - row);
            left[segment] = ((n * count) + (i * rows.Stride)) * rowFloats;
            right[segment] = ((nint)(n * rows.Out) + i) * columns.Out * filters;
        }

        var operands = new OuterOperands
        {
            LeftStep = (nint)columns.Stride * channels,
            RightStep = filters,
            LeftOffsets = left,
            RightOffsets = right,
            Segments = segments,
            Steps = columns.Out,
        };
        var gradient = call.OutputGradient + ((((nint)image * rows.Out) + row) * columns.Out * filters);
        for (var u = block.FirstTap; u < block.EndTap; u++)
        {
            for (var v = 0; v < (_joinsColumns ? 1 : columns.Kernel); v++)
            {
                for (var group = 0; group < _geometry.Groups; group++)
                {
                    operands.Left = copy + (u * rows.Dilation * rowFloats) + ((nint)v * columns.Dilation * channels)
                        + (group * GroupChannels) + block.FirstRow;
                    operands.Right = gradient + (group * groupFilters);
                    var target = sums + ((((((nint)u * columns.Kernel) + v) * GroupChannels) + block.FirstRow) * filters)
                        + (group * groupFilters);
                    OuterProduct.Add(operands, target, filters, block.EndRow - block.FirstRow, groupFilters, _width);
                }
            }
        }
    }

    // An input row with zeros around it, from the first column that the first output pixel reads.
    private void CopyRow(float* input, float* target, int image, int y, int reach)
    {
        var (rows, columns, channels) = (_geometry.Rows, _geometry.Columns, _geometry.InChannels);
        var floats = new Span<float>(target, reach * channels);
        if (y < 0 || y >= rows.In)
        {
            floats.Clear();
            return;
        }

        var start = Math.Min(columns.PadBefore, reach);
        var end = Math.Clamp(columns.In + columns.PadBefore, start, reach);
        floats[..(start * channels)].Clear();
        new ReadOnlySpan<float>(input + ((((nint)image * rows.In) + y) * columns.In * channels), (end - start) * channels)
            .CopyTo(floats[(start * channels)..]);
        floats[(end * channels)..].Clear();
    }
}
