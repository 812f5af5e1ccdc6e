namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>QUANTIZE, DEQUANTIZE, DENSIFY and CAST: operators that change how elements are stored.</summary>
internal static class QuantizeOperators
{
    public static void ReadQuantize(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, output) = (importer.Input(node, 0), importer.OutputQuantization(node));
        var element = importer.OutputTensor(node).Element;
        if (element is not (ElementType.Int8 or ElementType.UInt8 or ElementType.Int16))
            throw TFLiteImporter.Refused(node, $"the output is {importer.OutputTensor(node).TypeName}; expected int8, uint8 or int16.");
        var (least, most) = QuantizedTypes.Range(element.Value);
        var isWide = x.Type.Element == ElementType.Int16 || (x.Type.Element.IsByte() && element == ElementType.Int16);
        Operator op = isWide ? new TFLiteWideRequantizeOperator(element.Value, output, least, most, singlePrecision: false)
            : x.Type.Element.IsByte() ? new TFLiteRequantizeOperator(element.Value, output, least, most, singlePrecision: false)
            : new TFLiteQuantizeOperator(element.Value, output);
        importer.Set(node, importer.Emit(node, op, x));
    }

    public static void ReadDequantize(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        importer.Set(node, x.Type.Element == ElementType.Float16
            ? ConvolutionWeights.AsFloat(importer, node, x)
            : importer.Emit(node, new TFLiteDequantizeOperator(), x));
    }

    public static void ReadDensify(TFLiteImporter importer, TFLiteNode node)
    {
        // Sparse tensors were filled up with zeros when they were read.
        var x = importer.Input(node, 0);
        if (!x.IsStored)
            throw TFLiteImporter.Refused(node, $"the input '{x.Name}' is computed while the model runs; expected a constant.");
        importer.Set(node, x);
    }

    public static void ReadCast(TFLiteImporter importer, TFLiteNode node)
    {
        var element = importer.OutputTensor(node).Element
            ?? throw TFLiteImporter.Refused(node, $"the output is {importer.OutputTensor(node).TypeName}, which is not supported.");
        importer.Set(node, importer.Emit(node, new CastOperator(element), importer.Input(node, 0)));
    }
}
