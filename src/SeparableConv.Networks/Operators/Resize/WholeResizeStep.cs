using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Resizes images of whole numbers between the two nearest pixels in each direction, bit for bit as ONNX Runtime: places and weights in
/// single precision, the four products added in their order, and the fraction cut off.
/// </summary>
internal sealed unsafe class WholeResizeStep : Step
{
    private readonly ElementType _element;
    private readonly Axis _rows;
    private readonly Axis _columns;
    private readonly int _channels;

    public WholeResizeStep(TensorType input, ResizeAxis rows, ResizeAxis columns)
    {
        (_element, _channels) = (input.Element, input.Shape[3]);
        (_rows, _columns) = (new(rows), new(columns));
    }

    /// <summary>Whether elements are integers that single precision is used for.</summary>
    public static bool Takes(ElementType element) => !element.IsFloat() && element != ElementType.Bool;

    public override void Run(ForwardContext context)
    {
        var work = new NumberWork { Step = this, Context = context };
        ElementDispatch.Numbers(_element, ref work);
    }

    /// <summary>For each output pixel of a direction, the two pixels that it lies between and their weights.</summary>
    private sealed class Axis
    {
        public Axis(ResizeAxis axis)
        {
            Input = axis.Input;
            Pixels = new (int, int, float, float)[axis.Output];
            for (var i = 0; i < Pixels.Length; i++)
            {
                var place = Math.Clamp(axis.RuntimePlace(i), 0, Input - 1);
                var lower = Math.Min((int)place, Input - 1);
                var upper = Math.Min(lower + 1, Input - 1);
                Pixels[i] = lower == upper
                    ? (lower, upper, 0.5f, 0.5f)
                    : (lower, upper, MathF.Abs(place - upper), MathF.Abs(place - lower));
            }
        }

        public int Input { get; }

        public (int Lower, int Upper, float OfLower, float OfUpper)[] Pixels { get; }
    }

    private struct NumberWork : INumberWork
    {
        public WholeResizeStep Step;
        public ForwardContext Context;

        public readonly void Run<T>()
            where T : unmanaged, INumber<T>, IMinMaxValue<T>
        {
            var (x, y) = (Context.Inputs[0], Context.Outputs[0]);
            var rows = new RowWork<T> { Step = Step, X = x.Pointer<T>(), Y = y.Pointer<T>() };
            ElementParts.Run(rows, (long)x.Shape[0] * y.Shape[1], 4L * y.Shape[2] * y.Shape[3], Context.Threads);
        }
    }

    private struct RowWork<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public WholeResizeStep Step;
        public T* X;
        public T* Y;

        public readonly void Run(nint start, nint end)
        {
            var (rows, columns, channels) = (Step._rows, Step._columns, (nint)Step._channels);
            var inRow = columns.Input * channels;
            for (var row = start; row < end; row++)
            {
                var (image, i) = Math.DivRem(row, rows.Pixels.Length);
                var (top, bottom, ofTop, ofBottom) = rows.Pixels[i];
                var above = X + (((image * rows.Input) + top) * inRow);
                var below = X + (((image * rows.Input) + bottom) * inRow);
                var target = Y + (row * columns.Pixels.Length * channels);
                foreach (var (left, right, ofLeft, ofRight) in columns.Pixels)
                {
                    var (nearTop, farTop) = (ofLeft * ofTop, ofRight * ofTop);
                    var (nearBottom, farBottom) = (ofLeft * ofBottom, ofRight * ofBottom);
                    for (nint c = 0; c < channels; c++)
                    {
                        // No product may be joined with a sum: both are rounded.
                        var sum = nearTop * Number(above[(left * channels) + c]);
                        sum += farTop * Number(above[(right * channels) + c]);
                        sum += nearBottom * Number(below[(left * channels) + c]);
                        sum += farBottom * Number(below[(right * channels) + c]);
                        target[c] = T.CreateTruncating(sum);
                    }

                    target += channels;
                }
            }
        }

        private static float Number(T value) => float.CreateTruncating(value);
    }
}
