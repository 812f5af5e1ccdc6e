using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Operators;

/// <summary>Decodes the boxes of a detector and keeps the best: see <see cref="DetectionOperator"/>.</summary>
internal sealed unsafe class DetectionStep(DetectionOptions options, TensorShape encoded, int columns) : Step
{
    private readonly int _count = encoded[1];
    private readonly int _background = columns - options.Classes;
    private readonly int _perClass = Math.Min(options.DetectionsPerClass, options.MostDetections);

    // No more boxes can be chosen than there are.
    private int MostSelected => Math.Min(_count, options.SuppressesByClass ? _perClass : options.MostDetections);

    private int MostMerged => (int)Math.Min(options.MostDetections, (long)_count * options.Classes);

    // Keys for sorting, of boxes or classes, and those of the best so far; boxes; scores and indices.
    public override long ScratchBytes =>
        (sizeof(ulong) * ((long)Math.Max(_count, options.Classes) + MostMerged + MostSelected))
        + ((sizeof(Box) + sizeof(float)) * (long)_count) + (sizeof(int) * (long)MostSelected);

    public override void Run(ForwardContext context)
    {
        var memory = new Memory((byte*)context.Scratch);
        var order = memory.Take<ulong>(Math.Max(_count, options.Classes));
        var merged = memory.Take<ulong>(MostMerged + MostSelected);
        var boxes = memory.Take<Box>(_count);
        var best = memory.Take<float>(_count);
        var selected = memory.Take<int>(MostSelected);
        var output = new Output(context);
        Decode(context.Inputs[0].Span<float>(), context.Inputs[2].Span<float>(), boxes);
        var scores = context.Inputs[1].Span<float>();
        if (options.SuppressesByClass)
            ByClass(scores, boxes, best, order, merged, selected, output);
        else
            Together(scores, boxes, best, order, selected, output);
    }

    // In double precision, each number rounded once.
    private void Decode(ReadOnlySpan<float> encodedBoxes, ReadOnlySpan<float> anchors, Span<Box> boxes)
    {
        for (var i = 0; i < boxes.Length; i++)
        {
            var code = encodedBoxes[(i * encoded[2])..];
            var anchor = anchors.Slice(i * 4, 4);
            var y = (float)(((double)code[0] / options.ScaleY * anchor[2]) + anchor[0]);
            var x = (float)(((double)code[1] / options.ScaleX * anchor[3]) + anchor[1]);
            var halfHeight = (float)(0.5 * Math.Exp((double)code[2] / options.ScaleHeight) * anchor[2]);
            var halfWidth = (float)(0.5 * Math.Exp((double)code[3] / options.ScaleWidth) * anchor[3]);
            boxes[i] = new(y - halfHeight, x - halfWidth, y + halfHeight, x + halfWidth);
        }
    }

    // Each class by itself; what is chosen is merged by score into the best of the classes before, which come first where equal.
    private void ByClass(
        ReadOnlySpan<float> scores,
        ReadOnlySpan<Box> boxes,
        Span<float> ofClass,
        Span<ulong> order,
        Span<ulong> merged,
        Span<int> selected,
        Output output)
    {
        var count = 0;
        for (var c = 0; c < options.Classes; c++)
        {
            for (var i = 0; i < _count; i++)
                ofClass[i] = scores[(i * columns) + _background + c];
            var chosen = BoxSuppression.Run(boxes, ofClass, options.LeastScore, options.MostOverlap, order, selected);
            count = Merge(merged, count, ofClass, selected[..chosen], c);
        }

        for (var k = 0; k < count; k++)
        {
            var (c, i) = Math.DivRem((int)(uint)merged[k], _count);
            output.Put(k, boxes[i], c, scores[(i * columns) + _background + c]);
        }

        output.Count = count;
    }

    // Both runs fall; the new one is put in from its end. A key's upper half is the score, and only that is compared.
    private int Merge(Span<ulong> merged, int count, ReadOnlySpan<float> ofClass, ReadOnlySpan<int> selected, int c)
    {
        var (old, next) = (count - 1, selected.Length - 1);
        for (var to = count + selected.Length - 1; next >= 0; to--)
        {
            var key = BoxSuppression.Key(ofClass[selected[next]], (c * _count) + selected[next]);
            if (old >= 0 && merged[old] >> 32 > key >> 32)
                merged[to] = merged[old--];
            else
                (merged[to], next) = (key, next - 1);
        }

        return Math.Min(count + selected.Length, options.MostDetections);
    }

    // All classes together, by the best score of each box; then the best classes of the boxes that were chosen.
    private void Together(
        ReadOnlySpan<float> scores, ReadOnlySpan<Box> boxes, Span<float> best, Span<ulong> order, Span<int> selected, Output output)
    {
        for (var i = 0; i < _count; i++)
        {
            var row = scores.Slice((i * columns) + _background, options.Classes);
            best[i] = row[0];
            foreach (var score in row)
                best[i] = score > best[i] ? score : best[i];
        }

        var count = BoxSuppression.Run(boxes, best, options.LeastScore, options.MostOverlap, order, selected);
        var named = Math.Min(options.ClassesPerDetection, options.Classes);
        for (var k = 0; k < count; k++)
        {
            var row = scores.Slice((selected[k] * columns) + _background, options.Classes);
            for (var c = 0; c < row.Length; c++)
                order[c] = BoxSuppression.Key(row[c], c);
            order[..row.Length].Sort();
            for (var n = 0; n < named; n++)
            {
                var c = (int)(uint)order[n];
                output.Put((k * options.ClassesPerDetection) + n, boxes[selected[k]], c, row[c]);
            }
        }

        output.Count = count;
    }

    private ref struct Memory(byte* start)
    {
        private byte* _next = start;

        public Span<T> Take<T>(int count)
            where T : unmanaged
        {
            var span = new Span<T>(_next, count);
            _next += (nint)sizeof(T) * count;
            return span;
        }
    }

    private readonly ref struct Output
    {
        private readonly Span<Box> _boxes;
        private readonly Span<float> _classes;
        private readonly Span<float> _scores;
        private readonly Span<float> _count;

        public Output(ForwardContext context)
        {
            foreach (var output in context.Outputs)
                output.Bytes().Clear();
            _boxes = MemoryMarshal.Cast<float, Box>(context.Outputs[0].Span<float>());
            _classes = context.Outputs[1].Span<float>();
            _scores = context.Outputs[2].Span<float>();
            _count = context.Outputs[3].Span<float>();
        }

        public int Count
        {
            set => _count[0] = value;
        }

        public void Put(int at, Box box, int which, float score) => (_boxes[at], _classes[at], _scores[at]) = (box, which, score);
    }
}
