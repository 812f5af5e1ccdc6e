namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Activations that stand by themselves, and SOFTMAX.</summary>
internal static class ActivationOperators
{
    private const int SoftmaxOptions = 9;
    private const int LeakyReluOptions = 75;
    private const int GeluOptions = 116;
    private const byte FusedRelu = 1;
    private const byte FusedReluN1To1 = 2;
    private const byte FusedRelu6 = 3;

    public static void ReadSoftmax(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, beta) = (importer.Input(node, 0), node.Options(SoftmaxOptions).Single(0));
        if (x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, new TFLiteSoftmaxOperator(beta, importer.OutputQuantization(node)), x));
            return;
        }

        if (x.Type is { Element: ElementType.Int16, Quantization: not null })
        {
            importer.Set(node, importer.Emit(node, new TFLiteWideSoftmaxOperator(beta, importer.OutputQuantization(node)), x));
            return;
        }

        if (!float.IsFinite(beta))
            throw TFLiteImporter.Refused(node, $"beta is {beta}; it must be finite.");
        if (beta != 1)
            x = importer.Emit(node, new BinaryOperator(BinaryKind.Mul, Activation.None), x, importer.Constant(node, [beta]));
        importer.Set(node, importer.Emit(node, new ActivationOperator(Activation.Softmax), x));
    }

    public static void ReadLogistic(TFLiteImporter importer, TFLiteNode node) =>
        Function(importer, node, Activation.Sigmoid, (element, output) => element == ElementType.Int16
            ? new TFLiteWideSigmoidOperator(isTanh: false, output)
            : new TFLiteFunctionOperator(TFLiteFunction.Logistic, element, output));

    public static void ReadTanh(TFLiteImporter importer, TFLiteNode node) =>
        Function(importer, node, Activation.Tanh, (element, output) => element == ElementType.Int16
            ? new TFLiteWideSigmoidOperator(isTanh: true, output)
            : new TFLiteFunctionOperator(TFLiteFunction.Tanh, element, output));

    public static void ReadHardSwish(TFLiteImporter importer, TFLiteNode node) =>
        Function(importer, node, Activation.HardSwish, (element, output) => new TFLiteHardSwishOperator(element, output));

    public static void ReadRelu(TFLiteImporter importer, TFLiteNode node) => Clamp(importer, node, FusedRelu);

    public static void ReadRelu6(TFLiteImporter importer, TFLiteNode node) => Clamp(importer, node, FusedRelu6);

    public static void ReadReluN1To1(TFLiteImporter importer, TFLiteNode node) => Clamp(importer, node, FusedReluN1To1);

    public static void ReadRelu0To1(TFLiteImporter importer, TFLiteNode node) => Clamp(importer, node, FusedActivation.Relu0To1);

    public static void ReadLeakyRelu(TFLiteImporter importer, TFLiteNode node)
    {
        var alpha = node.Options(LeakyReluOptions).Single(0);
        Function(importer, node, Activation.LeakyReLU(alpha), (element, output) => element == ElementType.Int16
            ? new TFLiteWideLeakyReluOperator(alpha, output)
            : new TFLiteLeakyReluOperator(alpha, element, output));
    }

    public static void ReadElu(TFLiteImporter importer, TFLiteNode node) => Function(
        importer, node, Activation.ELU(), (element, output) => new TFLiteFunctionOperator(TFLiteFunction.Elu, element, output));

    public static void ReadGelu(TFLiteImporter importer, TFLiteNode node)
    {
        var isApproximate = node.Options(GeluOptions).Bool(0);
        var function = isApproximate ? TFLiteFunction.GeluTanh : TFLiteFunction.Gelu;
        var activation = isApproximate ? Activation.GELUTanh : Activation.GELU;
        Function(importer, node, activation, (element, output) => new TFLiteFunctionOperator(function, element, output));
    }

    public static void ReadPRelu(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, slope) = (importer.Input(node, 0), importer.Input(node, 1));
        if (x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, new TFLitePReluOperator(importer.OutputQuantization(node)), x, slope));
            return;
        }

        importer.Set(node, importer.Emit(node, new PReluOperator(), x, ConvolutionWeights.AsFloat(importer, node, slope)));
    }

    /// <summary>Quantized numbers brought to the output's scale, within a fused activation's bounds.</summary>
    public static Value Clamped(TFLiteImporter importer, TFLiteNode node, Value x, byte activation)
    {
        var output = importer.OutputQuantization(node);
        var (min, max) = FusedActivation.Clamp(node, activation, output, x.Type.Element);
        Operator op = x.Type.Element == ElementType.Int16
            ? new TFLiteWideRequantizeOperator(ElementType.Int16, output, min, max, singlePrecision: true)
            : new TFLiteRequantizeOperator(x.Type.Element, output, min, max, singlePrecision: true);
        return importer.Emit(node, op, x);
    }

    private static void Clamp(TFLiteImporter importer, TFLiteNode node, byte activation)
    {
        var x = importer.Input(node, 0);
        importer.Set(node, x.Type.Element.IsByte() || x.Type.Element == ElementType.Int16
            ? Clamped(importer, node, x, activation)
            : importer.Emit(node, new ActivationOperator(FusedActivation.Float(node, activation)), x));
    }

    private static void Function(
        TFLiteImporter importer, TFLiteNode node, Activation activation, Func<ElementType, Quantization, Operator> quantized)
    {
        var x = importer.Input(node, 0);
        var op = x.Type.Element.IsByte() || x.Type.Element == ElementType.Int16
            ? quantized(x.Type.Element, importer.OutputQuantization(node))
            : new ActivationOperator(activation);
        importer.Set(node, importer.Emit(node, op, x));
    }
}
