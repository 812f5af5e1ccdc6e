namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// A resize as one of images or several: height and width of an image at once, channels last; other dimensions by themselves or two
/// neighbours together, seen as height and width of an image that all others are batch or channels of.
/// </summary>
internal sealed class ResizePasses(
    OnnxGraph graph, OnnxNode node, ResizeRequest request, CoordinateMode coordinates, ResizeKernel kernel, double extrapolation)
{
    private readonly Formula _formula = new(graph, node);

    /// <summary>Adds the nodes and sets the output.</summary>
    /// <param name="rounding">For nearest: which pixel that is, along a dimension.</param>
    public void Emit(Func<int, NearestRounding> rounding)
    {
        var x = graph.Input(node, 0);
        var axes = request.Axes;
        if (axes.Length == 0)
        {
            graph.Alias(node, x);
            return;
        }

        var isImage = ImageLayout.IsImage(x.Rank) && axes[0] >= 2;
        var value = isImage ? graph.ChannelsLast(x) : graph.Original(x);
        if (!TakesElements(x.Element))
            value = _formula.Cast("float32", ElementType.Float32, value);
        for (var i = 0; i < axes.Length; i++)
        {
            var (first, second) = (axes[i], i + 1 < axes.Length ? axes[i + 1] : -1);
            var isPair = second == first + 1 && rounding(first) == rounding(second);
            i += isPair ? 1 : 0;
            value = !isImage ? Folded(value, first, isPair ? second : null, rounding(first))
                : isPair ? Pass(value, first, second, rounding(first))
                : first == x.Rank - 1 ? Pass(value, null, first, rounding(first))
                : Pass(value, first, null, rounding(first));
        }

        graph.Output(node, 0, Narrowed(value, x.Element), isImage, x.Rank);
    }

    private bool TakesElements(ElementType element) => kernel.Mode == ResizeMode.Nearest
        || (kernel.Mode == ResizeMode.Linear && !kernel.Antialias && WholeResizeStep.Takes(element));

    // Means of whole numbers that were computed in floats are rounded; what overshoots stops at the ends of the type.
    private Value Narrowed(Value value, ElementType element)
    {
        if (value.Type.Element != element && !element.IsFloat())
            value = _formula.Unary("rounded", UnaryKind.Round, value);
        return _formula.Cast("narrow", element, value);
    }

    // One dimension of a tensor, or two neighbours, as height and width; what is before them is the batch, what is behind them channels.
    private Value Folded(Value value, int first, int? second, NearestRounding rounding)
    {
        var lengths = value.Shape.Lengths.ToArray();
        var behind = (second ?? first) + 1;
        int[] image =
        [
            checked((int)ShapeRules.Product(lengths.AsSpan(0, first))),
            lengths[first],
            second is { } width ? lengths[width] : 1,
            checked((int)ShapeRules.Product(lengths.AsSpan(behind))),
        ];
        var resized = Pass(_formula.Reshape($"image{first}", value, image), first, second, rounding);
        lengths[first] = request.Lengths[first];
        if (second is { } columns)
            lengths[columns] = request.Lengths[columns];
        return _formula.Reshape($"resized{first}", resized, lengths);
    }

    // One resize of images whose rows and columns are dimensions of the request, or stay.
    private Value Pass(Value image, int? rows, int? columns, NearestRounding rounding)
    {
        var shape = image.Shape;
        int Length(int? axis, int own) => axis is { } d ? request.Lengths[d] : own;
        ResizeScale Scale(int? axis) => axis is { } d ? request.Scales[d] : ResizeScale.Ratio(1, 1);
        var op = new ResizeOperator(
            kernel.Mode,
            Length(rows, shape[1]),
            Length(columns, shape[2]),
            Scale(rows),
            Scale(columns),
            coordinates,
            rounding,
            kernel,
            new(
                rows is { } top ? request.Starts[top] : 0,
                columns is { } left ? request.Starts[left] : 0,
                rows is { } bottom ? request.Ends[bottom] : 1,
                columns is { } right ? request.Ends[right] : 1));
        var y = graph.Emit(node.Name, op, image);
        return coordinates == CoordinateMode.CropAndResize ? Extrapolated(op, image, y) : y;
    }

    // Pixels that lie outside of the input get a number instead.
    private Value Extrapolated(ResizeOperator op, Value image, Value y)
    {
        var size = op.OutputSize;
        if ((long)size.Height * size.Width > Math.Min(graph.RemainingBytes, Array.MaxLength))
            throw node.Error($"the output {y.Shape} is larger than what a model's constants may take together");
        var (rows, columns) = op.Axes(image.Shape);
        var (outsideRows, outsideColumns) = (rows.Outside(), columns.Outside());
        var outside = new bool[size.Height * size.Width];
        for (var i = 0; i < outside.Length; i++)
            outside[i] = outsideRows[i / size.Width] || outsideColumns[i % size.Width];
        if (!outside.Contains(true))
            return y;
        var mask = graph.Constant($"{node.Name}/outside", TensorData.Create(outside, 1, size.Height, size.Width, 1));
        return _formula.Choose("extrapolated", mask, _formula.Number("extrapolation", extrapolation, y.Type.Element), y);
    }
}
