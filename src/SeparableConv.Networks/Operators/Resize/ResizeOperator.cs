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

    /// <summary>Of the four nearest in each direction, by a piecewise cubic: bicubic.</summary>
    Cubic,
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

    /// <summary>
    /// start*(input - 1) + i*(end - start)*(input - 1)/(output - 1): the output shows a part of the input, or more than that. TensorFlow's
    /// CropAndResize.
    /// </summary>
    CropAndResize,
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

/// <summary>
/// Images in another size: (N, inH, inW, C) -> (N, outH, outW, C). Every output pixel has a place in the input, and is the nearest
/// pixel there (any element type) or a weighted mean of its neighbours, rows first, then columns (float32; linear without antialiasing
/// also whole numbers: see <see cref="WholeResizeStep"/>).
/// </summary>
/// <param name="mode">Nearest, linear or cubic.</param>
/// <param name="outHeight">Rows of the output.</param>
/// <param name="outWidth">Columns of the output.</param>
/// <param name="scaleHeight">
/// The scale of rows that an ONNX model gives or that follows from its sizes; null is TensorFlow Lite's arithmetic.
/// </param>
/// <param name="scaleWidth">The same for columns.</param>
/// <param name="coordinates">Where an output pixel lies.</param>
/// <param name="rounding">For nearest: which pixel that is.</param>
/// <param name="kernel">For linear and cubic: how pixels are weighted; of its own mode.</param>
/// <param name="crop">For a crop: the part of the input that is shown.</param>
internal sealed unsafe class ResizeOperator(
    ResizeMode mode,
    int outHeight,
    int outWidth,
    ResizeScale? scaleHeight,
    ResizeScale? scaleWidth,
    CoordinateMode coordinates,
    NearestRounding rounding = NearestRounding.RoundPreferFloor,
    ResizeKernel? kernel = null,
    ResizeCrop? crop = null) : Operator
{
    public override string Kind => mode switch
    {
        ResizeMode.Nearest => "ResizeNearest",
        ResizeMode.Linear => "ResizeBilinear",
        _ => "ResizeBicubic",
    };

    /// <summary>Nearest, linear or cubic.</summary>
    public ResizeMode Mode => mode;

    /// <summary>Rows and columns of the output.</summary>
    public Size2D OutputSize => (outHeight, outWidth);

    /// <summary>Rows' and columns' scale, where the model gives them.</summary>
    public (ResizeScale? Height, ResizeScale? Width) Scale => (scaleHeight, scaleWidth);

    /// <summary>Where an output pixel lies.</summary>
    public CoordinateMode Coordinates => coordinates;

    /// <summary>For nearest: which pixel that is.</summary>
    public NearestRounding Rounding => rounding;

    /// <summary>For linear and cubic: how pixels are weighted.</summary>
    public ResizeKernel Kernel => kernel ?? new(mode);

    /// <summary>For a crop: the part of the input that is shown.</summary>
    public ResizeCrop Crop => crop ?? ResizeCrop.Whole;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = ShapeRules.Only(inputs);
        if (input.Shape.Rank != 4)
            throw new ArgumentException($"The input is {input}; expected 4 dimensions (N, height, width, channels).");
        var takes = input.Element == ElementType.Float32 || mode == ResizeMode.Nearest
            || (TakesWholes && WholeResizeStep.Takes(input.Element));
        if (!takes)
        {
            throw new ArgumentException(
                $"The input is {input}; a {mode.ToString().ToLowerInvariant()} resize takes float32{(TakesWholes ? " or integers" : "")}.");
        }

        var (rows, columns) = Axes(input.Shape);
        rows.Check("rows");
        columns.Check("columns");
        return [ShapeRules.Moved(input, new TensorShape(input.Shape[0], outHeight, outWidth, input.Shape[3]))];
    }

    internal override OperatorCost Cost(Node node) =>
        mode == ResizeMode.Nearest ? default : new(0, 4 * Kernel.Radius * node.Outputs[0].Shape.ElementCount);

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

    // Linear, of two pixels in each direction.
    private bool TakesWholes => mode == ResizeMode.Linear && !Kernel.Antialias;

    private AxisTaps Transposed(ResizeAxis axis) => mode == ResizeMode.Nearest
        ? AxisTaps.OfCopy(axis.Nearest(rounding), axis.Input)
        : axis.Weighted(Kernel).Transposed(axis.Input);

    private Step Plan(TensorType input)
    {
        var (rows, columns) = Axes(input.Shape);
        var (batch, channels) = (input.Shape[0], input.Shape[3]);
        if (batch == 0 || channels == 0)
            return new IndexedCopyStep(null);
        if (TakesWholes && input.Element != ElementType.Float32)
            return new WholeResizeStep(input, rows, columns);
        return mode != ResizeMode.Nearest
            ? new WeightedResizeStep(input.Shape, rows.Weighted(Kernel), columns.Weighted(Kernel))
            : new IndexedCopyStep(
                new(input.Shape, [All(batch), rows.Nearest(rounding), columns.Nearest(rounding), All(channels)], input.Element.Size()));
    }

    /// <summary>Both directions, for an input.</summary>
    public (ResizeAxis Rows, ResizeAxis Columns) Axes(TensorShape input) => (
        new(input[1], outHeight, scaleHeight, coordinates, Crop.Top, Crop.Bottom),
        new(input[2], outWidth, scaleWidth, coordinates, Crop.Left, Crop.Right));

    private static int[] All(int length)
    {
        var indexes = new int[length];
        for (var i = 0; i < length; i++)
            indexes[i] = i;
        return indexes;
    }
}

/// <summary>A part of an image, 0 being the first row or column and 1 the last; it may reach beyond them.</summary>
internal readonly record struct ResizeCrop(float Top, float Left, float Bottom, float Right)
{
    /// <summary>All of it.</summary>
    public static ResizeCrop Whole => new(0, 0, 1, 1);
}
