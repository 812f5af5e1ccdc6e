namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>LpPool and GlobalLpPool: the norms of windows, (sum of |x|^p)^(1/p).</summary>
internal static class LpPoolOperators
{
    /// <summary>The sums are a depthwise convolution with ones, which has all strides, dilations and borders.</summary>
    public static void ReadLpPool(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Image(node);
        var window = Window.Read(node, x.Rank, []);
        var formula = new Formula(graph, node);
        var powers = Powers(formula, node, graph.ChannelsLast(x), out var p);
        var g = PoolShapes.Geometry(
            powers.Shape, window.Kernel, window.Stride, window.Dilation, window.Padding, node.Flag("ceil_mode", false));

        // Windows that were rounded up end behind the border.
        static int After(AxisGeometry axis) =>
            checked((int)Math.Max(0, ((axis.Out - 1L) * axis.Stride) + axis.Span - axis.In - axis.PadBefore));
        var options = ConvOptions.Default with
        {
            Stride = window.Stride,
            Dilation = window.Dilation,
            Padding = Padding.Explicit(g.Rows.PadBefore, After(g.Rows), g.Columns.PadBefore, After(g.Columns)),
        };
        var channels = x.Shape[1];
        var one = formula.Reshape("one", formula.Number("number", 1), 1, 1, 1, 1);
        var ones = graph.Emit(
            $"{node.Name}/ones", new ExpandOperator(new TensorShape(window.Kernel.Height, window.Kernel.Width, channels, 1)), one);
        var sums = graph.Emit($"{node.Name}/sums", new DepthwiseConv2DOperator(options), powers, ones);
        graph.OutputLast(node, 0, Root(formula, sums, p), x.Rank);
    }

    public static void ReadGlobalLpPool(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Input(node, 0);
        if (x.Rank < 3)
            throw node.Error($"the input is {x.Shape}; expected (N, C, ...)");
        var formula = new Formula(graph, node);
        var last = OnnxGraph.PrefersLast(x);
        var powers = Powers(formula, node, graph.InLayout(x, last), out var p);
        int[] axes = last ? [1, 2] : [.. Enumerable.Range(2, x.Rank - 2)];
        graph.Output(node, 0, Root(formula, formula.Reduce("sums", ReduceKind.Sum, axes, powers), p), last, x.Rank);
    }

    private static Value Powers(Formula formula, OnnxNode node, Value x, out int p)
    {
        p = node.Int("p", 2);
        if (p < 1)
            throw node.Error($"p is {p}; expected 1 or more");
        if (p == 2)
            return formula.Binary("squares", BinaryKind.Mul, x, x);
        var magnitudes = formula.Unary("magnitudes", UnaryKind.Abs, x);
        return p == 1 ? magnitudes : formula.Binary("powers", BinaryKind.Pow, magnitudes, p);
    }

    private static Value Root(Formula formula, Value sums, int p) =>
        p == 1 ? sums
        : p == 2 ? formula.Unary("", UnaryKind.Sqrt, sums)
        : formula.Binary("", BinaryKind.Pow, sums, 1.0 / p);
}
