using System.Buffers.Binary;
using System.Text;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Operators that are not of the schema's own: those of detectors, and MediaPipe's.</summary>
internal static class CustomOperators
{
    private const int DefaultDetectionsPerClass = 100;

    /// <summary>The reader of a custom operator; null where it is not supported.</summary>
    public static Action<TFLiteImporter, TFLiteNode>? Find(string name) => name switch
    {
        "TFLite_Detection_PostProcess" => ReadDetection,
        "Convolution2DTransposeBias" => ReadTransposeConvBias,
        "MaxPoolingWithArgmax2D" => ReadMaxPool,
        "MaxUnpooling2D" => ReadMaxUnpool,
        _ => null,
    };

    private static void ReadDetection(TFLiteImporter importer, TFLiteNode node)
    {
        var map = new FlexMap(node.CustomOptions);
        var options = new DetectionOptions(
            Integer(map, "max_detections"u8),
            Integer(map, "max_classes_per_detection"u8),
            Integer(map, "detections_per_class"u8, DefaultDetectionsPerClass),
            Integer(map, "use_regular_nms"u8) != 0,
            (float)(map.Find("nms_score_threshold"u8) ?? 0),
            (float)(map.Find("nms_iou_threshold"u8) ?? 0),
            Integer(map, "num_classes"u8),
            Scale(node, map, "y_scale"u8),
            Scale(node, map, "x_scale"u8),
            Scale(node, map, "h_scale"u8),
            Scale(node, map, "w_scale"u8));

        // Bytes are made floats first, as the reference does for itself.
        var inputs = new Value[3];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = ConvolutionWeights.AsFloat(importer, node, importer.Input(node, i));
        var outputs = importer.EmitAll(node, new DetectionOperator(options), inputs);
        for (var i = 0; i < node.Outputs.Length && i < outputs.Count; i++)
            importer.Set(node, outputs[i], i);
    }

    private static void ReadTransposeConvBias(TFLiteImporter importer, TFLiteNode node)
    {
        // Padding, stride along the width and along the height; weights (O, kH, kW, C).
        var (x, weights, bias) = ConvolutionWeights.Operands(importer, node, 4);
        if (x.Type.Element != ElementType.Float32 || x.Shape.Rank != 4)
            throw TFLiteImporter.Refused(node, $"the input is {x.Type}; expected float32 with 4 dimensions.");
        var (isSame, stride) = (IsSame(node), new Size2D(Field(node, 2), Field(node, 1)));
        var rows = Borders(node, isSame, x.Shape[1], weights.Shape[1], stride.Height);
        var columns = Borders(node, isSame, x.Shape[2], weights.Shape[2], stride.Width);
        var op = new ConvTranspose2DOperator(
            stride, 1, rows.Before, rows.After, columns.Before, columns.After, (0, 0), 1, Activation.None);
        importer.Set(node, importer.Emit(node, op, x, ConvolutionWeights.Permuted(importer, node, weights, [1, 2, 3, 0]), bias));
    }

    private static void ReadMaxPool(TFLiteImporter importer, TFLiteNode node)
    {
        // Padding, stride and kernel, the width first each time, and an activation.
        var activation = FusedActivation.Float(node, (byte)Math.Clamp(Field(node, 5), 0, byte.MaxValue));
        var padding = IsSame(node) ? Padding.Same : Padding.Valid;
        var op = new MaxPoolTapsOperator((Field(node, 4), Field(node, 3)), (Field(node, 2), Field(node, 1)), padding);
        var outputs = importer.EmitAll(node, op, importer.Input(node, 0));
        importer.Set(node, activation.IsNone ? outputs[0] : importer.Emit(node, new ActivationOperator(activation), outputs[0]));
        if (node.Outputs.Length > 1)
            importer.Set(node, outputs[1], 1);
    }

    private static void ReadMaxUnpool(TFLiteImporter importer, TFLiteNode node)
    {
        var op = new MaxUnpoolTapsOperator((Field(node, 4), Field(node, 3)), (Field(node, 2), Field(node, 1)));
        importer.Set(node, importer.Emit(node, op, importer.Input(node, 0), importer.Input(node, 1)));
    }

    // What the output of stride*(input - 1) + kernel is cut by: with SAME all that a stride of the input's would not have reached.
    private static (int Before, int After) Borders(TFLiteNode node, bool isSame, int input, int kernel, int stride)
    {
        if (stride < 1 || input < 1)
            throw TFLiteImporter.Refused(node, $"stride {stride} and input length {input} must be 1 or more.");
        var cut = isSame ? Math.Max(0, kernel - ((input - 1) % stride) - 1) : 0;
        return (cut / 2, cut - (cut / 2));
    }

    // The options are a structure of 32-bit numbers as it lies in memory.
    private static int Field(TFLiteNode node, int index)
    {
        var bytes = node.CustomOptions;
        return bytes.Length >= (index + 1) * sizeof(int)
            ? BinaryPrimitives.ReadInt32LittleEndian(bytes[(index * sizeof(int))..])
            : throw TFLiteImporter.Refused(node, $"its options have {bytes.Length} bytes; expected {(index + 1) * sizeof(int)} at least.");
    }

    private static bool IsSame(TFLiteNode node) => Field(node, 0) switch
    {
        1 => true,
        2 => false,
        var padding => throw TFLiteImporter.Refused(node, $"padding {padding} is neither SAME (1) nor VALID (2)."),
    };

    private static int Integer(in FlexMap map, ReadOnlySpan<byte> name, int missing = 0) =>
        (int)Math.Clamp(map.Find(name) ?? missing, int.MinValue, int.MaxValue);

    private static float Scale(TFLiteNode node, in FlexMap map, ReadOnlySpan<byte> name)
    {
        var scale = (float)(map.Find(name) ?? 0);
        return float.IsFinite(scale) && scale != 0
            ? scale
            : throw TFLiteImporter.Refused(node, $"{Encoding.ASCII.GetString(name)} is {scale}; expected a number other than 0.");
    }
}
