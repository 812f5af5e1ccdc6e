using SeparableConv.Loops;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Every operator that is read from ONNX or written to it, family by family. A line <c>Read</c> names ONNX's operator, its reader, and
/// the inputs that must be known when the model is loaded (shapes, axes, scales); a line <c>Write</c> names the network's and its writer.
/// </summary>
internal static class OnnxOperators
{
    private const int MostListed = 20;
    private const string MicrosoftDomain = "com.microsoft";

    private static readonly Dictionary<string, (Action<OnnxGraph, OnnxNode> Read, int[] Constants)> Readers = [];
    private static readonly Dictionary<Type, Action<OnnxOutput, Node>> Writers = [];

    static OnnxOperators()
    {
        Read("Conv", ConvolutionOperators.ReadConv);
        Read("ConvTranspose", ConvolutionOperators.ReadConvTranspose);
        Write<Conv2DOperator>(ConvolutionOperators.WriteConv2D);
        Write<DepthwiseConv2DOperator>(ConvolutionOperators.WriteDepthwiseConv2D);
        Write<ConvTranspose2DOperator>(ConvolutionOperators.WriteConvTranspose2D);

        Read("QLinearConv", QuantizedConvolutionOperators.ReadQLinearConv, 1, 2, 3, 4, 5, 6, 7, 8);
        Read("ConvInteger", QuantizedConvolutionOperators.ReadConvInteger, 2, 3);
        Write<QuantizedConv2DOperator>(QuantizedConvolutionOperators.WriteConv2D);
        Write<QuantizedDepthwiseConv2DOperator>(QuantizedConvolutionOperators.WriteDepthwiseConv2D);
        Write<IntegerConv2DOperator>(QuantizedConvolutionOperators.WriteConvInteger);

        Read(Microsoft("QLinearConv"), QuantizedConvolutionOperators.ReadMicrosoftQLinearConv, 1, 2, 3, 4, 5, 6, 7, 8);

        Read("QLinearMatMul", QuantizedMatrixOperators.ReadQLinearMatMul, 1, 2, 4, 5, 6, 7);
        Read("MatMulInteger", QuantizedMatrixOperators.ReadMatMulInteger);
        Read(Microsoft("QGemm"), QuantizedMatrixOperators.ReadQGemm, 1, 2, 4, 5, 7, 8);
        Read(Microsoft("MatMulIntegerToFloat"), QuantizedMatrixOperators.ReadMatMulIntegerToFloat);
        Read(Microsoft("DynamicQuantizeMatMul"), QuantizedMatrixOperators.ReadDynamicQuantizeMatMul);
        Write<QuantizedDenseOperator>(QuantizedMatrixOperators.WriteDense);
        Write<IntegerMatMulOperator>(QuantizedMatrixOperators.WriteMatMulInteger);

        Read("QuantizeLinear", QuantizeOperators.ReadQuantizeLinear);
        Read("DequantizeLinear", QuantizeOperators.ReadDequantizeLinear);
        Read(Microsoft("QuantizeLinear"), QuantizeOperators.ReadQuantizeLinear);
        Read(Microsoft("DequantizeLinear"), QuantizeOperators.ReadDequantizeLinear);
        Read("DynamicQuantizeLinear", QuantizeOperators.ReadDynamicQuantizeLinear);
        Write<QuantizeLinearOperator>(QuantizeOperators.WriteQuantizeLinear);
        Write<DequantizeLinearOperator>(QuantizeOperators.WriteDequantizeLinear);
        Write<DynamicQuantizeLinearOperator>(QuantizeOperators.WriteDynamicQuantizeLinear);

        Read(Microsoft("QLinearAdd"), QLinearOperators.ReadAdd, 1, 2, 4, 5, 6, 7);
        Read(Microsoft("QLinearMul"), QLinearOperators.ReadMul, 1, 2, 4, 5, 6, 7);
        Read(Microsoft("QLinearConcat"), QLinearOperators.ReadConcat);
        Read(Microsoft("QLinearWhere"), QLinearOperators.ReadWhere);
        Read(Microsoft("QLinearLeakyRelu"), QLinearOperators.ReadLeakyRelu);
        Read(Microsoft("QLinearSigmoid"), QLinearOperators.ReadSigmoid);
        Read(Microsoft("QLinearSoftmax"), QLinearOperators.ReadSoftmax);
        Read(Microsoft("QLinearReduceMean"), QLinearOperators.ReadReduceMean);
        Read(Microsoft("QLinearAveragePool"), QLinearOperators.ReadAveragePool, 3, 4);
        Read(Microsoft("QLinearGlobalAveragePool"), QLinearOperators.ReadGlobalAveragePool, 1, 2, 3, 4);
        Read(Microsoft("NhwcMaxPool"), QLinearOperators.ReadNhwcMaxPool);
        Write<QLinearBinaryOperator>(QLinearOperators.WriteBinary);

        Read(Microsoft("FusedConv"), FusedOperators.ReadConv);
        Read(Microsoft("FusedGemm"), FusedOperators.ReadGemm);
        Read(Microsoft("FusedMatMul"), FusedOperators.ReadMatMul);
        Read(Microsoft("TransposeMatMul"), FusedOperators.ReadMatMul);
        Read(Microsoft("Gelu"), FusedOperators.ReadGelu);
        Read(Microsoft("BiasGelu"), FusedOperators.ReadGelu);
        Read(Microsoft("FastGelu"), FusedOperators.ReadFastGelu);
        Read(Microsoft("QuickGelu"), FusedOperators.ReadQuickGelu);

        Read("AveragePool", PoolingOperators.ReadAveragePool);
        Read("MaxPool", PoolingOperators.ReadMaxPool);
        Read("GlobalAveragePool", PoolingOperators.ReadGlobalAveragePool);
        Read("GlobalMaxPool", PoolingOperators.ReadGlobalMaxPool);
        Read("LpPool", LpPoolOperators.ReadLpPool);
        Read("GlobalLpPool", LpPoolOperators.ReadGlobalLpPool);
        Write<Pool2DOperator>(PoolingOperators.WritePool2D);
        Write<MaxPoolWithIndicesOperator>(PoolingOperators.WriteMaxPoolWithIndices);
        Write<GlobalPoolOperator>(PoolingOperators.WriteGlobalPool);

        Read("BatchNormalization", NormalizationOperators.ReadBatchNormalization);
        Read("InstanceNormalization", InstanceNormalizations.ReadInstanceNormalization);
        Read("GroupNormalization", InstanceNormalizations.ReadGroupNormalization);
        Read("MeanVarianceNormalization", InstanceNormalizations.ReadMeanVarianceNormalization);
        Read("LayerNormalization", LayerNormalizations.ReadLayerNormalization);
        Read("RMSNormalization", LayerNormalizations.ReadRMSNormalization);
        Read("LpNormalization", LayerNormalizations.ReadLpNormalization);
        Read("LRN", LayerNormalizations.ReadLRN);
        Read("Softmax", NormalizationOperators.ReadSoftmax);
        Read("LogSoftmax", NormalizationOperators.ReadLogSoftmax);
        Read("Hardmax", NormalizationOperators.ReadHardmax);
        Read("Dropout", NormalizationOperators.ReadDropout, 1, 2);
        Write<BatchNormalizationOperator>(NormalizationOperators.WriteBatchNormalization);
        Write<LayerNormalizationOperator>(LayerNormalizations.WriteLayerNormalization);
        Write<LocalResponseNormalizationOperator>(LayerNormalizations.WriteLRN);
        Write<SoftmaxOperator>(NormalizationOperators.WriteSoftmax);
        Write<DropoutOperator>(NormalizationOperators.WriteDropout);

        Read("Relu", ActivationOperators.ReadRelu);
        Read("Clip", ActivationOperators.ReadClip);
        Read("LeakyRelu", ActivationOperators.ReadLeakyRelu);
        Read("PRelu", ActivationOperators.ReadPRelu);
        Read("Elu", ActivationOperators.ReadElu);
        Read("HardSigmoid", ActivationOperators.ReadHardSigmoid);
        Read("HardSwish", ActivationOperators.ReadHardSwish);
        Read("Sigmoid", ActivationOperators.ReadSigmoid);
        Read("Tanh", ActivationOperators.ReadTanh);
        Read("Gelu", ActivationOperators.ReadGelu);
        Read("Mish", ActivationOperators.ReadMish);
        Read("Swish", ActivationOperators.ReadSwish);
        Read("Selu", ComposedActivations.ReadSelu);
        Read("Celu", ComposedActivations.ReadCelu);
        Read("ThresholdedRelu", ComposedActivations.ReadThresholdedRelu);
        Read("Shrink", ComposedActivations.ReadShrink);
        Write<ActivationOperator>(ActivationOperators.WriteActivation);
        Write<PReluOperator>(ActivationOperators.WritePRelu);
        Write<ClipOperator>(ActivationOperators.WriteClip);

        ReadAll(ElementwiseOperators.ReadUnary, "Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Sqrt", "Reciprocal");
        ReadAll(ElementwiseOperators.ReadUnary, "Exp", "Log", "Sin", "Cos", "Erf", "Softplus", "Softsign", "Not");
        ReadAll(ElementwiseOperators.ReadUnary, "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh");
        Read("IsNaN", ElementwiseOperators.ReadIsNaN);
        Read("IsInf", ElementwiseOperators.ReadIsInf);
        ReadAll(ElementwiseOperators.ReadBinary, "Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor");
        ReadAll(ElementwiseOperators.ReadBinary, "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual");
        ReadAll(ElementwiseOperators.ReadSeveral, "Min", "Max", "Sum", "Mean");
        Read("Mod", ElementwiseOperators.ReadMod);
        Read("Where", ElementwiseOperators.ReadWhere);
        Read("Cast", ElementwiseOperators.ReadCast);
        Read("CastLike", ElementwiseOperators.ReadCastLike);
        Write<UnaryOperator>(ElementwiseOperators.WriteUnary);
        Write<BinaryOperator>(ElementwiseOperators.WriteBinary);
        Write<WhereOperator>(ElementwiseOperators.WriteWhere);
        Write<CastOperator>(ElementwiseOperators.WriteCast);

        Read("Gemm", MatrixOperators.ReadGemm);
        Read("MatMul", MatrixOperators.ReadMatMul);
        Read("Einsum", EinsumOperators.ReadEinsum);
        Write<DenseOperator>(MatrixOperators.WriteDense);
        Write<GemmOperator>(MatrixOperators.WriteGemm);
        Write<MatMulOperator>(MatrixOperators.WriteMatMul);

        foreach (var kind in new[] { "Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp" })
            Read("Reduce" + kind, ReductionOperators.ReadReduce, 1);
        ReadAll(ReductionOperators.ReadArgExtreme, "ArgMax", "ArgMin");
        Read("TopK", SortingOperators.ReadTopK, 1);
        Write<TopKOperator>(SortingOperators.WriteTopK);
        Read("CumSum", ReductionOperators.ReadCumSum, 1);
        Write<ReduceOperator>(ReductionOperators.WriteReduce);
        Write<ArgExtremeOperator>(ReductionOperators.WriteArgExtreme);
        Write<CumulativeSumOperator>(ReductionOperators.WriteCumSum);

        Read("Identity", ShapeOperators.ReadIdentity);
        Read("Reshape", ShapeOperators.ReadReshape, 1);
        Read("Flatten", ShapeOperators.ReadFlatten);
        Read("Squeeze", ShapeOperators.ReadSqueeze, 1);
        Read("Unsqueeze", ShapeOperators.ReadUnsqueeze, 1);
        Read("Transpose", ShapeOperators.ReadTranspose);
        Read("Expand", ShapeOperators.ReadExpand, 1);
        Read("Tile", ShapeOperators.ReadTile, 1);
        Read("Gather", ShapeOperators.ReadGather);
        Write<IdentityOperator>(ShapeOperators.WriteIdentity);
        Write<QuantizationViewOperator>(ShapeOperators.WriteIdentity);
        Write<ReshapeOperator>(ShapeOperators.WriteReshape);
        Write<TransposeOperator>(ShapeOperators.WriteTranspose);
        Write<ExpandOperator>(ShapeOperators.WriteExpand);
        Write<TileOperator>(ShapeOperators.WriteTile);
        Write<GatherOperator>(ShapeOperators.WriteGather);

        Read("GatherND", IndexOperators.ReadGatherND);
        Read("GatherElements", IndexOperators.ReadGatherElements);
        Read("ScatterND", IndexOperators.ReadScatterND);
        ReadAll(IndexOperators.ReadScatterElements, "ScatterElements", "Scatter");
        Read("Compress", IndexOperators.ReadCompress, 1);
        Read("OneHot", IndexOperators.ReadOneHot, 1);
        Read("Trilu", MatrixMaskOperators.ReadTrilu, 1);
        Read("EyeLike", MatrixMaskOperators.ReadEyeLike);
        Write<GatherNDOperator>(IndexOperators.WriteGatherND);
        Write<GatherElementsOperator>(IndexOperators.WriteGatherElements);
        Write<ScatterNDOperator>(IndexOperators.WriteScatterND);
        Write<ScatterElementsOperator>(IndexOperators.WriteScatterElements);

        Read("Concat", PieceOperators.ReadConcat);
        Read("Split", PieceOperators.ReadSplit, 1);
        Read("Slice", PieceOperators.ReadSlice, 1, 2, 3, 4);
        Read("Pad", PieceOperators.ReadPad, 1, 2, 3);
        Write<ConcatOperator>(PieceOperators.WriteConcat);
        Write<SplitOperator>(PieceOperators.WriteSplit);
        Write<SliceOperator>(PieceOperators.WriteSlice);
        Write<PadOperator>(PieceOperators.WritePad);

        Read("Resize", ResizeOperators.ReadResize, 1, 2, 3);
        Read("Upsample", ResizeOperators.ReadUpsample, 1);
        Read("DepthToSpace", BlockOperators.ReadDepthToSpace);
        Read("SpaceToDepth", BlockOperators.ReadSpaceToDepth);
        Write<ResizeOperator>(ResizeOperators.WriteResize);
        Write<DepthToSpaceOperator>(BlockOperators.WriteDepthToSpace);
        Write<SpaceToDepthOperator>(BlockOperators.WriteSpaceToDepth);

        Read("GridSample", SamplingOperators.ReadGridSample);
        Read("RoiAlign", SamplingOperators.ReadRoiAlign);
        Read("MaxUnpool", SamplingOperators.ReadMaxUnpool, 2);
        Write<GridSampleOperator>(SamplingOperators.WriteGridSample);
        Write<RoiAlignOperator>(SamplingOperators.WriteRoiAlign);
        Write<MaxUnpoolOperator>(SamplingOperators.WriteMaxUnpool);

        Read("ImageScaler", ExperimentalOperators.ReadImageScaler);
        Read("Crop", ExperimentalOperators.ReadCrop);
        ReadAll(ExperimentalOperators.ReadAffine, "Affine", "Scale");
        ReadAll(ExperimentalOperators.ReadScaledFunction, "ScaledTanh", "ParametricSoftplus");

        // What these give has as many elements as are found: they are computed when all numbers are known, which is in a run mostly.
        Read("NonZero", ConstantOperators.ReadNonZero);
        Read("NonMaxSuppression", DetectionOperators.ReadNonMaxSuppression);

        // Constants of a network are written where they are used.
        Read("Constant", ConstantOperators.ReadConstant);
        Read("ConstantOfShape", ConstantOperators.ReadConstantOfShape, 0);
        Read("Shape", ConstantOperators.ReadShape);
        Read("Size", ConstantOperators.ReadSize);
        Read("Range", ConstantOperators.ReadRange, 0, 1, 2);
    }

    /// <summary>Whether a domain is ONNX's own.</summary>
    public static bool IsDefaultDomain(string domain) => domain is "" or "ai.onnx";

    /// <summary>The name here of an operator that ONNX Runtime adds to ONNX's own.</summary>
    public static string Microsoft(string type) => $"{MicrosoftDomain}.{type}";

    /// <summary>A node of the operator that has that name here.</summary>
    public static NodeProto Named(string name) => name.StartsWith(MicrosoftDomain, StringComparison.Ordinal)
        ? new() { Domain = MicrosoftDomain, OpType = name[(MicrosoftDomain.Length + 1)..] }
        : new() { OpType = name };

    /// <summary>A node's operator by the name that it has here: with its domain in front where that is not ONNX's own.</summary>
    public static string NameOf(NodeProto node) => IsDefaultDomain(node.Domain) ? node.OpType : $"{node.Domain}.{node.OpType}";

    /// <summary>The types of nodes that can be read.</summary>
    public static IReadOnlyCollection<string> Readable => Readers.Keys;

    /// <summary>Refuses nodes of types that cannot be read; one message names all of them.</summary>
    /// <exception cref="NetworkException">There are such nodes.</exception>
    public static void RefuseUnsupported(IEnumerable<NodeProto> nodes)
    {
        var kinds = new Dictionary<string, List<string>>();
        foreach (var node in nodes)
        {
            var kind = NameOf(node);
            if (OnnxBranches.IsIf(node) || CanRead(kind))
                continue;
            if (!kinds.TryGetValue(kind, out var names))
                kinds[kind] = names = [];
            names.Add(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault() ?? "");
        }

        if (kinds.Count == 0)
            return;
        var list = string.Join("; ", kinds.Take(MostListed).Select(kind =>
        {
            var names = string.Join(", ", kind.Value.Take(4).Select(name => $"'{OneLine.Of(name)}'"));
            return $"{OneLine.Of(kind.Key)} ({names}{(kind.Value.Count > 4 ? $" and {kind.Value.Count - 4} more" : "")})";
        }));
        var more = kinds.Count > MostListed ? $"; and {kinds.Count - MostListed} more kinds" : "";
        throw new NetworkException($"The model has operators that are not supported: {list}{more}.");
    }

    /// <summary>Whether nodes of that type can be read.</summary>
    public static bool CanRead(string type) => Readers.ContainsKey(type);

    /// <summary>Reads a node: its reader adds to the graph and sets the node's outputs.</summary>
    public static void Read(OnnxGraph graph, OnnxNode node) => Readers[node.Type].Read(graph, node);

    /// <summary>Reads an operator that a node contains, with inputs of its own and the node's attributes.</summary>
    /// <returns>Its output.</returns>
    public static OnnxValue ReadPart(OnnxGraph graph, OnnxNode whole, string type, params OnnxValue?[] inputs)
    {
        var part = whole.Part(type, inputs);
        Read(graph, part);
        return part.Result ?? throw whole.Error("its output has no name");
    }

    /// <summary>The inputs that a node of that type must know when the model is loaded.</summary>
    public static ReadOnlySpan<int> ConstantInputs(string type) => Readers.TryGetValue(type, out var reader) ? reader.Constants : [];

    /// <summary>Why a node cannot be written; null where it can.</summary>
    public static string? Refusal(Node node) => node.Operator switch
    {
        QuantizedLayerOperator { Rounding: not Requantization.Float } => "it rounds as TensorFlow Lite does, which no operator of ONNX can",
        RunTimeGraphOperator => "its shapes are known only in a run, and so it was never made one of the network's own",
        var op => Writers.ContainsKey(op.GetType()) ? null : "there is no such operator in ONNX",
    };

    /// <summary>Writes a node that is not refused.</summary>
    public static void Write(OnnxOutput output, Node node) => Writers[node.Operator.GetType()](output, node);

    private static void Read(string type, Action<OnnxGraph, OnnxNode> reader, params int[] constants) =>
        Readers.Add(type, (reader, constants));

    private static void ReadAll(Action<OnnxGraph, OnnxNode> reader, params ReadOnlySpan<string> types)
    {
        foreach (var type in types)
            Read(type, reader);
    }

    private static void Write<T>(Action<OnnxOutput, Node> writer)
        where T : Operator => Writers.Add(typeof(T), writer);
}
