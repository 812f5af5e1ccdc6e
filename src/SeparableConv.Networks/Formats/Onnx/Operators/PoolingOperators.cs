using SeparableConv.Networks.Formats.Onnx.Schema;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>AveragePool and MaxPool, and the global ones.</summary>
internal static class PoolingOperators
{
    public static void ReadAveragePool(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Image(node);
        var window = Window.Read(node, x.Rank, []);
        var (ceil, countIncludePad) = (node.Flag("ceil_mode", false), node.Flag("count_include_pad", false));
        Emit(graph, node, x, Pool(PoolKind.Average, window, ceil, countIncludePad));
    }

    public static void ReadMaxPool(OnnxGraph graph, OnnxNode node)
    {
        var x = graph.Image(node);
        var window = Window.Read(node, x.Rank, []);
        var (ceil, columnMajor) = (node.Flag("ceil_mode", false), node.Flag("storage_order", false));
        if (!node.HasOutput(1))
        {
            Emit(graph, node, x, Pool(PoolKind.Max, window, ceil, countIncludePad: false));
            return;
        }

        // In a row, the order of rows and columns makes no difference.
        var op = new MaxPoolWithIndicesOperator(
            window.Kernel, window.Stride, window.Dilation, window.Padding, ceil, columnMajor && x.Rank == 4);
        var outputs = graph.EmitAll(node.Name, op, graph.ChannelsLast(x));
        graph.OutputLast(node, 0, outputs[0], x.Rank);
        graph.OutputLast(node, 1, outputs[1], x.Rank);
    }

    public static void ReadGlobalAveragePool(OnnxGraph graph, OnnxNode node) =>
        Emit(graph, node, graph.Image(node), new GlobalPoolOperator(PoolKind.Average));

    public static void ReadGlobalMaxPool(OnnxGraph graph, OnnxNode node) =>
        Emit(graph, node, graph.Image(node), new GlobalPoolOperator(PoolKind.Max));

    public static void WritePool2D(OnnxOutput output, Node node)
    {
        var op = (Pool2DOperator)node.Operator;
        var attributes = Attributes(op.Kernel, op.Stride, op.Dilation, op.Padding, op.CeilMode);
        if (op.PoolKind == PoolKind.Average && op.CountIncludePad)
            attributes.Add(Attribute("count_include_pad", 1));
        var y = output.Node(
            op.PoolKind == PoolKind.Max ? "MaxPool" : "AveragePool", node.Name, [output.First(node.Inputs[0]!)], [.. attributes]);
        output.SetFirst(node.Outputs[0], ActivationOperators.Append(output, op.Activation, y, $"{node.Name}/activation", 4, first: true));
    }

    public static void WriteMaxPoolWithIndices(OnnxOutput output, Node node)
    {
        var op = (MaxPoolWithIndicesOperator)node.Operator;
        var attributes = Attributes(op.Kernel, op.Stride, op.Dilation, op.Padding, op.CeilMode);
        if (op.ColumnMajor)
            attributes.Add(Attribute("storage_order", 1));
        var tensors = output.Node("MaxPool", node.Name, [output.First(node.Inputs[0]!)], 2, [.. attributes]);
        output.SetFirst(node.Outputs[0], tensors[0]);
        output.SetFirst(node.Outputs[1], tensors[1]);
    }

    public static void WriteGlobalPool(OnnxOutput output, Node node)
    {
        var type = ((GlobalPoolOperator)node.Operator).PoolKind == PoolKind.Max ? "GlobalMaxPool" : "GlobalAveragePool";
        output.SetFirst(node.Outputs[0], output.Node(type, node.Name, [output.First(node.Inputs[0]!)]));
    }

    private static Pool2DOperator Pool(PoolKind kind, Window window, bool ceil, bool countIncludePad) =>
        new(kind, window.Kernel, window.Stride, window.Dilation, window.Padding, ceil, countIncludePad, Activation.None);

    private static void Emit(OnnxGraph graph, OnnxNode node, OnnxValue x, Operator op) =>
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x)), x.Rank);

    private static List<AttributeProto> Attributes(Size2D kernel, Size2D stride, Size2D dilation, Padding padding, bool ceilMode)
    {
        List<AttributeProto> attributes =
        [
            ListAttribute("kernel_shape", kernel.Height, kernel.Width),
            ListAttribute("strides", stride.Height, stride.Width),
        ];
        if (dilation != 1)
            attributes.Add(ListAttribute("dilations", dilation.Height, dilation.Width));
        if (padding.Mode is PaddingMode.SameUpper or PaddingMode.SameLower)
            attributes.Add(Attribute("auto_pad", padding.Mode == PaddingMode.SameUpper ? "SAME_UPPER" : "SAME_LOWER"));
        else
            attributes.Add(ListAttribute("pads", padding.Top, padding.Left, padding.Bottom, padding.Right));
        if (ceilMode)
            attributes.Add(Attribute("ceil_mode", 1));
        return attributes;
    }
}
