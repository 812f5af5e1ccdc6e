using SeparableConv.Loops;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Reads CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED.</summary>
internal static class ConvolutionImport
{
    private const int Conv2DOptions = 1;
    private const int DepthwiseConv2DOptions = 2;
    private const int FullyConnectedOptions = 8;

    public static void Conv2D(TFLiteImporter importer, TFLiteNode node)
    {
        // Weights (O, kH, kW, C/groups); the number of groups is nowhere but in the shapes.
        var (x, weights, bias) = Operands(importer, node, 4);
        var inChannels = weights.Shape[3];
        if (x.Shape.Rank != 4 || inChannels < 1 || x.Shape[3] % inChannels != 0)
            throw TFLiteImporter.Refused(node, $"the input is {x.Type} and the weights are {weights.Type}; expected 4 dimensions and channels in whole groups of {inChannels}.");
        weights = Permuted(importer, node, weights, [1, 2, 3, 0]);
        var table = node.Options(Conv2DOptions);
        var options = Options(node, table, 4) with { Groups = x.Shape[3] / inChannels };
        if (!x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, new Conv2DOperator(options with { Activation = FusedActivation.Float(node, table.Byte(3)) }), x, weights, bias));
            return;
        }

        var output = importer.OutputQuantization(node);
        var (min, max) = FusedActivation.Clamp(node, table.Byte(3), output, x.Type.Element);
        importer.Set(node, importer.Emit(node, new QuantizedConv2DOperator(options, x.Type.Element, output, min, max, Requantization.FixedPoint), x, weights, bias));
    }

    public static void DepthwiseConv2D(TFLiteImporter importer, TFLiteNode node)
    {
        // Weights (1, kH, kW, C*M) are the same numbers as (kH, kW, C, M): output channel c*M + m.
        var (x, weights, bias) = Operands(importer, node, 4);
        var (shape, channels) = (weights.Shape, x.Shape.Rank == 4 ? x.Shape[3] : 0);
        if (channels < 1 || shape[0] != 1 || shape[3] % channels != 0)
            throw TFLiteImporter.Refused(node, $"the input is {x.Type} and the weights are {weights.Type}; expected 4 dimensions each, the weights' first of length 1 and the last a multiple of the channels.");
        weights = Depthwise(importer, node, weights, new TensorShape(shape[1], shape[2], channels, shape[3] / channels));
        var table = node.Options(DepthwiseConv2DOptions);
        var options = Options(node, table, 5);
        if (!x.Type.Element.IsByte())
        {
            importer.Set(node, importer.Emit(node, new DepthwiseConv2DOperator(options with { Activation = FusedActivation.Float(node, table.Byte(4)) }), x, weights, bias));
            return;
        }

        var output = importer.OutputQuantization(node);
        var (min, max) = FusedActivation.Clamp(node, table.Byte(4), output, x.Type.Element);
        importer.Set(node, importer.Emit(node, new QuantizedDepthwiseConv2DOperator(options, x.Type.Element, output, min, max, Requantization.FixedPoint), x, weights, bias));
    }

    public static void FullyConnected(TFLiteImporter importer, TFLiteNode node)
    {
        // Weights (O, I); all but the last dimension of what is read are one.
        var (x, weights, bias) = Operands(importer, node, 2);
        var table = node.Options(FullyConnectedOptions);
        if (table.Byte(1) != 0)
            throw TFLiteImporter.Refused(node, $"weights format {table.Byte(1)} is not supported.");
        var (inputs, outputs) = (weights.Shape[1], weights.Shape[0]);
        if (inputs < 1 || x.Shape.ElementCount % inputs != 0)
            throw TFLiteImporter.Refused(node, $"the input is {x.Type} and the weights are {weights.Type}; expected whole rows of {inputs}.");
        var rows = (int)(x.Shape.ElementCount / inputs);
        var keeps = table.Bool(2) && x.Shape.Rank > 0 && x.Shape[^1] == inputs;
        var result = new TensorShape(keeps ? [.. x.Shape.Lengths[..^1], outputs] : [rows, outputs]);
        if (x.Shape != new TensorShape(rows, inputs))
            x = importer.Emit(node, new ReshapeOperator(new TensorShape(rows, inputs)), x);

        weights = Permuted(importer, node, weights, [1, 0]);
        Value y;
        if (x.Type.Element.IsByte())
        {
            var output = importer.OutputQuantization(node);
            var (min, max) = FusedActivation.Clamp(node, table.Byte(0), output, x.Type.Element);
            y = importer.Emit(node, new QuantizedDenseOperator(x.Type.Element, output, min, max, Requantization.FixedPoint), x, weights, bias);
        }
        else
        {
            y = importer.Emit(node, new DenseOperator(FusedActivation.Float(node, table.Byte(0))), x, weights, bias);
        }

        importer.Set(node, y.Shape == result ? y : importer.Emit(node, new ReshapeOperator(result), y));
    }

    /// <summary>SAME or VALID, as the schema numbers them.</summary>
    public static Padding Padding(TFLiteNode node, byte code) => code switch
    {
        0 => SeparableConv.Padding.Same,
        1 => SeparableConv.Padding.Valid,
        _ => throw TFLiteImporter.Refused(node, $"padding {code} is neither SAME (0) nor VALID (1)."),
    };

    /// <summary>A value with its dimensions in another order.</summary>
    public static Value Permuted(TFLiteImporter importer, TFLiteNode node, Value value, int[] permutation) =>
        importer.Form(value, $"permuted {string.Join(',', permutation)}", v => importer.Emit(node, new TransposeOperator(permutation), v));

    /// <summary>Float numbers, of weights that are stored in less: int8 or float16 weights for float activations.</summary>
    public static Value AsFloat(TFLiteImporter importer, TFLiteNode node, Value value) => value.Type switch
    {
        { Element: ElementType.Float16 } => importer.Form(value, "float", v => importer.Emit(node, new CastOperator(ElementType.Float32), v)),
        { Quantization: not null, Element: not ElementType.Float32 } => importer.Form(value, "float", v => importer.Emit(node, new AffineDequantizeOperator(), v)),
        _ => value,
    };

    // Input, weights and bias; where the input is float, all three are.
    private static (Value X, Value Weights, Value? Bias) Operands(TFLiteImporter importer, TFLiteNode node, int rank)
    {
        var (x, weights, bias) = (importer.Input(node, 0), importer.Input(node, 1), importer.Optional(node, 2));
        if (weights.Shape.Rank != rank)
            throw TFLiteImporter.Refused(node, $"the weights are {weights.Type}; expected {rank} dimensions.");
        if (x.Type.Element is not (ElementType.Float32 or ElementType.Int8 or ElementType.UInt8))
            throw TFLiteImporter.Refused(node, $"the input is {x.Type}; expected float32, int8 or uint8.");
        return x.Type.Element.IsByte()
            ? (x, weights, bias)
            : (x, AsFloat(importer, node, weights), bias is null ? null : AsFloat(importer, node, bias));
    }

    private static ConvOptions Options(TFLiteNode node, FlatTable table, int dilation) => new()
    {
        Padding = Padding(node, table.Byte(0)),
        Stride = (table.Int32(2), table.Int32(1)),
        Dilation = (table.Int32(dilation + 1, 1), table.Int32(dilation, 1)),
    };

    private static Value Depthwise(TFLiteImporter importer, TFLiteNode node, Value weights, TensorShape shape)
    {
        // Scales run along c*M + m, which is no dimension any more; without them a view is enough.
        if (weights.Type.Quantization is not { IsPerTensor: false } quantization)
            return importer.Form(weights, $"shaped {shape}", v => importer.Emit(node, new ReshapeOperator(shape), v));
        if (weights.Constant is not { } constant || quantization.Axis != 3)
            throw TFLiteImporter.Refused(node, $"the weights have {quantization}; expected constants with one scale, or one for each output channel along dimension 3.");
        return importer.Form(weights, $"shaped {shape}", v => importer.Reshaped(v, constant, shape));
    }
}
