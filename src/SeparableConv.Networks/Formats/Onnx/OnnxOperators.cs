using System.Collections.Frozen;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Every operator of ONNX that can be read, and who reads it.</summary>
internal static class OnnxOperators
{
    /// <summary>What reads a node of that type: it adds to the graph and sets the node's outputs.</summary>
    public static FrozenDictionary<string, Action<OnnxGraph, OnnxNode>> Table { get; } = new Dictionary<string, Action<OnnxGraph, OnnxNode>>
    {
        ["Conv"] = ConvolutionReaders.Conv,
        ["ConvTranspose"] = ConvolutionReaders.ConvTranspose,
        ["ConvInteger"] = QuantizedConvolutionReaders.ConvInteger,
        ["QLinearConv"] = QuantizedConvolutionReaders.QLinearConv,
        ["QuantizeLinear"] = QuantizedReaders.QuantizeLinear,
        ["DequantizeLinear"] = QuantizedReaders.DequantizeLinear,
        ["AveragePool"] = PoolingReaders.AveragePool,
        ["MaxPool"] = PoolingReaders.MaxPool,
        ["GlobalAveragePool"] = PoolingReaders.GlobalAveragePool,
        ["GlobalMaxPool"] = PoolingReaders.GlobalMaxPool,
        ["BatchNormalization"] = NormalizationReaders.BatchNormalization,
        ["InstanceNormalization"] = NormalizationReaders.InstanceNormalization,
        ["Softmax"] = NormalizationReaders.Softmax,
        ["LogSoftmax"] = NormalizationReaders.LogSoftmax,
        ["Dropout"] = NormalizationReaders.Dropout,

        ["Relu"] = ElementwiseReaders.Relu,
        ["Clip"] = ElementwiseReaders.Clip,
        ["LeakyRelu"] = ElementwiseReaders.LeakyRelu,
        ["PRelu"] = ElementwiseReaders.PRelu,
        ["Elu"] = ElementwiseReaders.Elu,
        ["Selu"] = ElementwiseReaders.Selu,
        ["HardSigmoid"] = ElementwiseReaders.HardSigmoid,
        ["HardSwish"] = ElementwiseReaders.HardSwish,
        ["Sigmoid"] = ElementwiseReaders.Sigmoid,
        ["Tanh"] = ElementwiseReaders.Tanh,
        ["Cast"] = ElementwiseReaders.Cast,
        ["Where"] = ElementwiseReaders.Where,
        ["Mod"] = ElementwiseReaders.Mod,
        ["Abs"] = ElementwiseReaders.Unary,
        ["Neg"] = ElementwiseReaders.Unary,
        ["Exp"] = ElementwiseReaders.Unary,
        ["Log"] = ElementwiseReaders.Unary,
        ["Sqrt"] = ElementwiseReaders.Unary,
        ["Reciprocal"] = ElementwiseReaders.Unary,
        ["Floor"] = ElementwiseReaders.Unary,
        ["Ceil"] = ElementwiseReaders.Unary,
        ["Round"] = ElementwiseReaders.Unary,
        ["Sign"] = ElementwiseReaders.Unary,
        ["Sin"] = ElementwiseReaders.Unary,
        ["Cos"] = ElementwiseReaders.Unary,
        ["Erf"] = ElementwiseReaders.Unary,
        ["Softplus"] = ElementwiseReaders.Unary,
        ["Softsign"] = ElementwiseReaders.Unary,
        ["Not"] = ElementwiseReaders.Unary,
        ["Add"] = ElementwiseReaders.Binary,
        ["Sub"] = ElementwiseReaders.Binary,
        ["Mul"] = ElementwiseReaders.Binary,
        ["Div"] = ElementwiseReaders.Binary,
        ["Pow"] = ElementwiseReaders.Binary,
        ["Equal"] = ElementwiseReaders.Binary,
        ["Less"] = ElementwiseReaders.Binary,
        ["LessOrEqual"] = ElementwiseReaders.Binary,
        ["Greater"] = ElementwiseReaders.Binary,
        ["GreaterOrEqual"] = ElementwiseReaders.Binary,
        ["And"] = ElementwiseReaders.Binary,
        ["Or"] = ElementwiseReaders.Binary,
        ["Xor"] = ElementwiseReaders.Binary,
        ["Min"] = ElementwiseReaders.Several,
        ["Max"] = ElementwiseReaders.Several,
        ["Sum"] = ElementwiseReaders.Several,
        ["Mean"] = ElementwiseReaders.Several,

        ["Gemm"] = MatrixReaders.Gemm,
        ["MatMul"] = MatrixReaders.MatMul,

        ["ReduceMean"] = ReductionReaders.Reduce,
        ["ReduceSum"] = ReductionReaders.Reduce,
        ["ReduceMax"] = ReductionReaders.Reduce,
        ["ReduceMin"] = ReductionReaders.Reduce,
        ["ReduceProd"] = ReductionReaders.Reduce,
        ["ArgMax"] = ReductionReaders.ArgMax,

        ["Identity"] = ShapeReaders.Identity,
        ["Reshape"] = ShapeReaders.Reshape,
        ["Flatten"] = ShapeReaders.Flatten,
        ["Squeeze"] = ShapeReaders.Squeeze,
        ["Unsqueeze"] = ShapeReaders.Unsqueeze,
        ["Transpose"] = ShapeReaders.Transpose,
        ["Expand"] = ShapeReaders.Expand,
        ["Tile"] = ShapeReaders.Tile,
        ["Gather"] = ShapeReaders.Gather,
        ["Concat"] = PieceReaders.Concat,
        ["Split"] = PieceReaders.Split,
        ["Slice"] = PieceReaders.Slice,
        ["Pad"] = PieceReaders.Pad,
        ["DepthToSpace"] = ResizeReaders.DepthToSpace,
        ["SpaceToDepth"] = ResizeReaders.SpaceToDepth,
        ["Resize"] = ResizeReaders.Resize,
        ["Upsample"] = ResizeReaders.Upsample,

        ["Constant"] = ConstantReaders.Constant,
        ["ConstantOfShape"] = ConstantReaders.ConstantOfShape,
        ["Shape"] = ConstantReaders.Shape,
        ["Size"] = ConstantReaders.Size,
        ["Range"] = ConstantReaders.Range,
        ["NonZero"] = ConstantReaders.NonZero,
    }.ToFrozenDictionary();

    /// <summary>Whether a domain is ONNX's own.</summary>
    public static bool IsDefaultDomain(string domain) => domain is "" or "ai.onnx";

    /// <summary>The inputs that a node of that type must know when the model is loaded: shapes, axes, scales.</summary>
    public static ReadOnlySpan<int> ConstantInputs(string type) => type switch
    {
        "Reshape" or "Expand" or "Tile" or "Squeeze" or "Unsqueeze" or "Split" or "Upsample" => [1],
        "ReduceMean" or "ReduceSum" or "ReduceMax" or "ReduceMin" or "ReduceProd" => [1],
        "Pad" or "Resize" => [1, 2, 3],
        "Slice" => [1, 2, 3, 4],
        "Dropout" => [1, 2],
        "ConstantOfShape" or "NonZero" => [0],
        "Range" => [0, 1, 2],
        "ConvInteger" => [2, 3],
        "QLinearConv" => [1, 2, 3, 4, 5, 6, 7, 8],
        _ => [],
    };
}
