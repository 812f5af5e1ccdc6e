using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads the pools.</summary>
internal static class PoolingReaders
{
    public static void AveragePool(OnnxGraph graph, OnnxNode node)
    {
        var x = ConvolutionReaders.Image(graph, node);
        var window = Window.Read(node, x.Rank, []);
        Emit(graph, node, x, new Pool2DOperator(
            PoolKind.Average, window.Kernel, window.Stride, window.Dilation, window.Padding, node.Flag("ceil_mode", false), node.Flag("count_include_pad", false), Activation.None));
    }

    public static void MaxPool(OnnxGraph graph, OnnxNode node)
    {
        var x = ConvolutionReaders.Image(graph, node);
        var window = Window.Read(node, x.Rank, []);
        var (ceil, columnMajor) = (node.Flag("ceil_mode", false), node.Flag("storage_order", false));
        if (!node.HasOutput(1))
        {
            Emit(graph, node, x, new Pool2DOperator(PoolKind.Max, window.Kernel, window.Stride, window.Dilation, window.Padding, ceil, false, Activation.None));
            return;
        }

        // In a row, the order of rows and columns makes no difference.
        var op = new MaxPoolWithIndicesOperator(window.Kernel, window.Stride, window.Dilation, window.Padding, ceil, columnMajor && x.Rank == 4);
        var outputs = graph.EmitAll(node.Name, op, graph.ChannelsLast(x));
        graph.OutputLast(node, 0, outputs[0], x.Rank);
        graph.OutputLast(node, 1, outputs[1], x.Rank);
    }

    public static void GlobalAveragePool(OnnxGraph graph, OnnxNode node) => Emit(graph, node, ConvolutionReaders.Image(graph, node), new GlobalPoolOperator(PoolKind.Average));

    public static void GlobalMaxPool(OnnxGraph graph, OnnxNode node) => Emit(graph, node, ConvolutionReaders.Image(graph, node), new GlobalPoolOperator(PoolKind.Max));

    private static void Emit(OnnxGraph graph, OnnxNode node, OnnxValue x, Operator op) =>
        graph.OutputLast(node, 0, graph.Emit(node.Name, op, graph.ChannelsLast(x)), x.Rank);
}
