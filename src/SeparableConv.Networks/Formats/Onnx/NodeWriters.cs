using System.Collections.Frozen;
using SeparableConv.Loops;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Every operator of a network that ONNX has as well, and who writes it.</summary>
internal static class NodeWriters
{
    private static readonly FrozenDictionary<Type, Action<OnnxOutput, Node>> Table = new Dictionary<Type, Action<OnnxOutput, Node>>
    {
        [typeof(Conv2DOperator)] = ConvolutionWriters.Conv2D,
        [typeof(DepthwiseConv2DOperator)] = ConvolutionWriters.DepthwiseConv2D,
        [typeof(ConvTranspose2DOperator)] = ConvolutionWriters.ConvTranspose2D,
        [typeof(QuantizedConv2DOperator)] = QuantizedWriters.Conv2D,
        [typeof(QuantizedDepthwiseConv2DOperator)] = QuantizedWriters.DepthwiseConv2D,
        [typeof(IntegerConv2DOperator)] = QuantizedWriters.ConvInteger,
        [typeof(Pool2DOperator)] = ConvolutionWriters.Pool2D,
        [typeof(MaxPoolWithIndicesOperator)] = ConvolutionWriters.MaxPoolWithIndices,
        [typeof(GlobalPoolOperator)] = ConvolutionWriters.GlobalPool,
        [typeof(ResizeOperator)] = ConvolutionWriters.Resize,
        [typeof(DepthToSpaceOperator)] = ConvolutionWriters.DepthToSpace,
        [typeof(SpaceToDepthOperator)] = ConvolutionWriters.SpaceToDepth,
        [typeof(BatchNormalizationOperator)] = ElementwiseWriters.BatchNormalization,
        [typeof(ActivationOperator)] = ElementwiseWriters.Activation,
        [typeof(PReluOperator)] = ElementwiseWriters.PRelu,
        [typeof(ClipOperator)] = ElementwiseWriters.Clip,
        [typeof(UnaryOperator)] = ElementwiseWriters.Unary,
        [typeof(BinaryOperator)] = ElementwiseWriters.Binary,
        [typeof(WhereOperator)] = ElementwiseWriters.Where,
        [typeof(CastOperator)] = ElementwiseWriters.Cast,
        [typeof(DropoutOperator)] = ElementwiseWriters.Dropout,
        [typeof(SoftmaxOperator)] = ElementwiseWriters.Softmax,
        [typeof(LogSoftmaxOperator)] = ElementwiseWriters.LogSoftmax,
        [typeof(QuantizeOperator)] = ElementwiseWriters.Quantize,
        [typeof(DequantizeOperator)] = ElementwiseWriters.Dequantize,
        [typeof(DenseOperator)] = MatrixWriters.Dense,
        [typeof(MatMulOperator)] = MatrixWriters.MatMul,
        [typeof(GemmOperator)] = MatrixWriters.Gemm,
        [typeof(ReduceOperator)] = MatrixWriters.Reduce,
        [typeof(ArgMaxOperator)] = MatrixWriters.ArgMax,
        [typeof(QuantizationViewOperator)] = ShapeWriters.Identity,
        [typeof(IdentityOperator)] = ShapeWriters.Identity,
        [typeof(ReshapeOperator)] = ShapeWriters.Reshape,
        [typeof(TransposeOperator)] = ShapeWriters.Transpose,
        [typeof(ExpandOperator)] = ShapeWriters.Expand,
        [typeof(TileOperator)] = ShapeWriters.Tile,
        [typeof(GatherOperator)] = ShapeWriters.Gather,
        [typeof(ConcatOperator)] = ShapeWriters.Concat,
        [typeof(SplitOperator)] = ShapeWriters.Split,
        [typeof(SliceOperator)] = ShapeWriters.Slice,
        [typeof(PadOperator)] = ShapeWriters.Pad,
    }.ToFrozenDictionary();

    /// <summary>Why a node cannot be written; null where it can.</summary>
    public static string? Refusal(Node node) => node.Operator switch
    {
        QuantizedLayerOperator { Rounding: not Requantization.Float } => "it rounds as TensorFlow Lite does, which no operator of ONNX can",
        var op => Table.ContainsKey(op.GetType()) ? null : "there is no such operator in ONNX",
    };

    /// <summary>Writes a node.</summary>
    public static void Write(OnnxOutput output, Node node) => Table[node.Operator.GetType()](output, node);
}
