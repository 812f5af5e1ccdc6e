using SeparableConv.Filtering;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Resizes float images by weights: for each row of the output, the input's rows are first summed into one row of scratch memory,
/// then that row's pixels into the output's.
/// </summary>
internal sealed unsafe class WeightedResizeStep : Step
{
    // Each part has a scratch row of its own; so they are few, whatever the number of threads.
    private const int MostParts = 64;
    private const long BytesPerPart = 64 * 1024;

    private readonly PinnedTables _tables = new();
    private readonly ResizeRows.Axis _rows;
    private readonly ResizeRows.Axis _columns;
    private readonly int _inHeight;
    private readonly int _inWidth;
    private readonly int _channels;
    private readonly long _outRows;
    private readonly int _parts;

    public WeightedResizeStep(TensorShape input, ResizeTaps rows, ResizeTaps columns)
    {
        (_inHeight, _inWidth, _channels) = (input[1], input[2], input[3]);
        (_rows, _columns) = (Pinned(rows), Pinned(columns));
        _outRows = (long)input[0] * rows.First.Length;
        var bytes = _outRows * _channels * Math.Max(_inWidth, columns.First.Length) * sizeof(float);
        _parts = (int)Math.Clamp(bytes / BytesPerPart, 1, Math.Min(_outRows, MostParts));
    }

    public override long ScratchBytes => _parts * ScratchRow * sizeof(float);

    // Whole cache lines: two threads never write to one.
    private long ScratchRow => (((long)_inWidth * _channels) + 15) & ~15L;

    public override void Run(ForwardContext context)
    {
        var work = new Work
        {
            Step = this,
            Input = context.Inputs[0].Pointer<float>(),
            Output = context.Outputs[0].Pointer<float>(),
            Scratch = (float*)context.Scratch,
        };
        WorkerPool.Shared.Run(ref work, _parts, context.Threads);
    }

    private ResizeRows.Axis Pinned(ResizeTaps taps) => new()
    {
        Length = taps.First.Length,
        First = _tables.Add<int>(taps.First),
        Begin = _tables.Add<int>(taps.Begin),
        Weights = _tables.Add<float>(taps.Weights()),
    };

    private struct Work : IParallelWork
    {
        public WeightedResizeStep Step;
        public float* Input;
        public float* Output;
        public float* Scratch;

        public readonly void Execute(int part)
        {
            var step = Step;
            var scratch = Scratch + (part * step.ScratchRow);
            var inRow = (nint)step._inWidth * step._channels;
            var outRow = (nint)step._columns.Length * step._channels;
            var end = step._outRows * (part + 1) / step._parts;
            for (var row = step._outRows * part / step._parts; row < end; row++)
            {
                var (image, y) = Math.DivRem(row, step._rows.Length);
                var input = Input + ((nint)image * step._inHeight * inRow);
                ResizeRows.SumRows(input, inRow, step._rows, (int)y, scratch);
                ResizeRows.SumPixels(scratch, step._channels, step._columns, Output + ((nint)row * outRow));
            }
        }
    }
}
