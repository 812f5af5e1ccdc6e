using System.Runtime.InteropServices;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>How a pixel is computed whose place lies between pixels.</summary>
internal enum ResizeMode
{
    /// <summary>The nearest pixel's value.</summary>
    Nearest,

    /// <summary>Between the two nearest in each direction, by distance: bilinear.</summary>
    Linear,
}

/// <summary>Where pixel i of the output lies in the input, in ONNX's words; scale is output by input.</summary>
internal enum CoordinateMode
{
    /// <summary>
    /// (i + 0.5)/scale - 0.5: the centres of pixels lie half a pixel inside both images. TensorFlow's half_pixel_centers.
    /// </summary>
    HalfPixel,

    /// <summary><see cref="HalfPixel"/> with both images' centres on each other, where scale times input is no whole number.</summary>
    HalfPixelSymmetric,

    /// <summary><see cref="HalfPixel"/>, but 0 where the output has one pixel.</summary>
    PytorchHalfPixel,

    /// <summary>i*(input - 1)/(output - 1): the first and last pixels lie on each other.</summary>
    AlignCorners,

    /// <summary>i/scale: the first pixels lie on each other. TensorFlow's rule where nothing is said.</summary>
    Asymmetric,

    /// <summary>
    /// (i + 0.5)/scale: with <see cref="NearestRounding.Floor"/>, TensorFlow's nearest neighbour with half_pixel_centers.
    /// </summary>
    TfHalfPixelForNearest,
}

/// <summary>Which pixel is the nearest to a place between two.</summary>
internal enum NearestRounding
{
    /// <summary>The nearer one, the lower of two that are equally near.</summary>
    RoundPreferFloor,

    /// <summary>The nearer one, the upper of two that are equally near.</summary>
    RoundPreferCeil,

    /// <summary>The lower one.</summary>
    Floor,

    /// <summary>The upper one.</summary>
    Ceil,
}

/// <summary>Whether a reduction looks at all the pixels that one pixel of the output stands for.</summary>
internal enum ResizeAntialias
{
    /// <summary>No: only the two nearest in each direction are read.</summary>
    None,

    /// <summary>Yes: they are weighted by a triangle that is 2/scale pixels wide; beyond the edge the edge pixel is repeated.</summary>
    EdgeGoesOn,

    /// <summary>
    /// The same triangle, but pixels beyond the edge do not count: ONNX's exclude_outside, and what Pillow and PyTorch do.
    /// </summary>
    ExcludeOutside,
}

/// <summary>
/// Images in another size: (N, inH, inW, C) -> (N, outH, outW, C). Every output pixel has a place in the input, and is the nearest
/// pixel there (any element type) or a weighted mean of its neighbours, rows first, then columns (float32).
/// </summary>
/// <param name="mode">Nearest or linear.</param>
/// <param name="outHeight">Rows of the output.</param>
/// <param name="outWidth">Columns of the output.</param>
/// <param name="scaleHeight">
/// The scale of rows that an ONNX model gives or ONNX computes from sizes; null is TensorFlow Lite's arithmetic.
/// </param>
/// <param name="scaleWidth">The same for columns.</param>
/// <param name="coordinates">Where an output pixel lies.</param>
/// <param name="rounding">For nearest: which pixel that is.</param>
/// <param name="antialias">For linear: whether a reduction looks at all pixels.</param>
internal sealed unsafe class ResizeOperator(
    ResizeMode mode,
    int outHeight,
    int outWidth,
    float? scaleHeight,
    float? scaleWidth,
    CoordinateMode coordinates,
    NearestRounding rounding = NearestRounding.RoundPreferFloor,
    ResizeAntialias antialias = ResizeAntialias.None) : Operator
{
    public override string Kind => mode == ResizeMode.Nearest ? "ResizeNearest" : "ResizeBilinear";

    /// <summary>Nearest or linear.</summary>
    public ResizeMode Mode => mode;

    /// <summary>Rows and columns of the output.</summary>
    public Size2D OutputSize => (outHeight, outWidth);

    /// <summary>Rows' and columns' scale, where the model gives them.</summary>
    public (float? Height, float? Width) Scale => (scaleHeight, scaleWidth);

    /// <summary>Where an output pixel lies.</summary>
    public CoordinateMode Coordinates => coordinates;

    /// <summary>For nearest: which pixel that is.</summary>
    public NearestRounding Rounding => rounding;

    /// <summary>For linear: whether a reduction looks at all pixels.</summary>
    public ResizeAntialias Antialias => antialias;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        if (input.Shape.Rank != 4)
            throw new ArgumentException($"The input is {input}; expected 4 dimensions (N, height, width, channels).");
        if (mode == ResizeMode.Linear && input.Element != ElementType.Float32)
            throw new ArgumentException($"The input is {input}; a linear resize takes float32.");
        var (rows, columns) = Axes(input.Shape);
        rows.Check("rows");
        columns.Check("columns");
        return [ShapeRules.Moved(input, new TensorShape(input.Shape[0], outHeight, outWidth, input.Shape[3]))];
    }

    internal override OperatorCost Cost(Node node) => mode == ResizeMode.Nearest ? default : new(0, 4 * node.Outputs[0].Shape.ElementCount);

    internal override Step Prepare(Node node) => Plan(node.Inputs[0]!.Type);

    internal override void Forward(ForwardContext context)
    {
        var step = Plan(context.Inputs[0].Type);
        var scratch = NativeMemory.AlignedAlloc((nuint)step.ScratchBytes, 64);
        try
        {
            step.Run(new ForwardContext(context.Inputs, context.Outputs, context.Threads, scratch));
        }
        finally
        {
            NativeMemory.AlignedFree(scratch);
        }
    }

    /// <summary>The forward sums transposed: each pixel has the sum of what all pixels have that were computed from it. float32.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var x = context.Input(0);
        if (x.Type.Element != ElementType.Float32)
            return null;
        var (rows, columns) = Axes(x.Shape);
        var wide = context.Add("columns", new AxisSumsOperator(2, Transposed(columns)), context.Output(0));
        return [context.Add("input", new AxisSumsOperator(1, Transposed(rows)), wide)];
    }

    private AxisTaps Transposed(ResizeAxis axis) => mode == ResizeMode.Nearest
        ? AxisTaps.OfCopy(axis.Nearest(rounding), axis.Input)
        : axis.Linear(antialias).Transposed(axis.Input);

    private Step Plan(TensorType input)
    {
        var (rows, columns) = Axes(input.Shape);
        var (batch, channels) = (input.Shape[0], input.Shape[3]);
        if (batch == 0 || channels == 0)
            return new IndexedCopyStep(null);
        return mode == ResizeMode.Linear
            ? new LinearResizeStep(input.Shape, rows.Linear(antialias), columns.Linear(antialias))
            : new IndexedCopyStep(
                new(input.Shape, [All(batch), rows.Nearest(rounding), columns.Nearest(rounding), All(channels)], input.Element.Size()));
    }

    private (ResizeAxis Rows, ResizeAxis Columns) Axes(TensorShape input) =>
        (new(input[1], outHeight, scaleHeight, coordinates), new(input[2], outWidth, scaleWidth, coordinates));

    private static int[] All(int length)
    {
        var indexes = new int[length];
        for (var i = 0; i < length; i++)
            indexes[i] = i;
        return indexes;
    }
}
