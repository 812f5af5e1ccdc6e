using System.Numerics;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Maximum pooling and where each maximum was found: x (N, inH, inW, C) -> y (N, outH, outW, C), and int64 positions of that
/// shape: ((n*C + c)*inH + row)*inW + column, or with <paramref name="columnMajor"/> (n*C + c)*inH*inW + row + column*inH, ONNX's
/// numbering of (N, C, inH, inW).
/// </summary>
/// <remarks>Of equal numbers the first one of the window counts. A window without a tap inside the input has the position -1.</remarks>
internal sealed unsafe class MaxPoolWithIndicesOperator(
    Size2D kernel, Size2D stride, Size2D dilation, Padding padding, bool ceilMode, bool columnMajor) : Operator, INumberOperator
{
    public override string Kind => "MaxPooling2DWithIndices";

    public Size2D Kernel { get; } = kernel;

    public Size2D Stride { get; } = stride;

    public Size2D Dilation { get; } = dilation;

    public Padding Padding { get; } = padding;

    public bool CeilMode { get; } = ceilMode;

    public bool ColumnMajor { get; } = columnMajor;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        OperatorChecks.Takes(input.Element.IsFloat() || input.Element.IsByte(), input, "floats or bytes");
        var shape = PoolShapes.Output(Geometry(input.Shape));
        return [new(input.Element, shape, input.Quantization), new(ElementType.Int64, shape)];
    }

    internal override OperatorCost Cost(Node node)
    {
        var g = Geometry(node.Inputs[0]!.Shape);
        return new(0, node.Outputs[0].Shape.ElementCount * g.Rows.Kernel * g.Columns.Kernel);
    }

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    /// <summary>The gradient of the maxima goes to the largest of each window (float32); positions have none.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var x = context.Input(0);
        if (x.Type.Element != ElementType.Float32)
            return null;
        return context.Output(0) is { } dy
            ? [context.Add("input", new MaxPoolGradientOperator(Kernel, Stride, Dilation, Padding, CeilMode), dy, x)]
            : context.Nothing();
    }

    private ConvGeometry Geometry(TensorShape input) => PoolShapes.Geometry(input, Kernel, Stride, Dilation, Padding, CeilMode);

    void INumberOperator.Run<T>(ForwardContext context)
    {
        var g = Geometry(context.Inputs[0].Shape);
        var work = new Work<T>
        {
            X = context.Inputs[0].Pointer<T>(),
            Y = context.Outputs[0].Pointer<T>(),
            Positions = context.Outputs[1].Pointer<long>(),
            Geometry = g,
            ColumnMajor = ColumnMajor,
            Least = PoolShapes.Least<T>(),
        };
        ElementParts.Run(
            work, (long)g.Batch * g.Rows.Out, (long)g.Columns.Out * g.InChannels * g.Rows.Kernel * g.Columns.Kernel, context.Threads);
    }

    private struct Work<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* X;
        public T* Y;
        public long* Positions;
        public ConvGeometry Geometry;
        public bool ColumnMajor;
        public T Least;

        public readonly void Run(nint start, nint end)
        {
            var (columns, channels) = (Geometry.Columns, Geometry.InChannels);
            for (var row = start; row < end; row++)
            {
                for (var outX = 0; outX < columns.Out; outX++)
                {
                    for (var c = 0; c < channels; c++)
                    {
                        var at = (((row * columns.Out) + outX) * channels) + c;
                        (Y[at], Positions[at]) = Find(row, outX, c);
                    }
                }
            }
        }

        private readonly (T Largest, long Position) Find(nint row, int outX, int c)
        {
            var (rows, columns, channels) = (Geometry.Rows, Geometry.Columns, Geometry.InChannels);
            var (image, outY) = (row / rows.Out, (int)(row % rows.Out));
            var (tapsU, tapsV) = (rows.Taps(outY), columns.Taps(outX));
            var (largest, position) = (Least, -1L);
            for (var u = tapsU.Start; u < tapsU.End; u++)
            {
                var y = rows.InputStart(outY) + ((nint)u * rows.Dilation);
                for (var v = tapsV.Start; v < tapsV.End; v++)
                {
                    var x = columns.InputStart(outX) + ((nint)v * columns.Dilation);
                    var value = X[(((((image * rows.In) + y) * columns.In) + x) * channels) + c];
                    if (position >= 0 && !(value > largest))
                        continue;
                    largest = value;
                    position = (((image * channels) + c) * rows.In * columns.In) + (ColumnMajor ? y + (x * rows.In) : (y * columns.In) + x);
                }
            }

            return (largest, position);
        }
    }
}
