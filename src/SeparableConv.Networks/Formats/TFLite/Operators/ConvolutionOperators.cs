using SeparableConv.Loops;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV.</summary>
internal static class ConvolutionOperators
{
    private const int Conv2DOptions = 1;
    private const int DepthwiseConv2DOptions = 2;
    private const int TransposeConvOptions = 49;

    public static void ReadConv2D(TFLiteImporter importer, TFLiteNode node)
    {
        if (DynamicRangeOperators.TryReadConv2D(importer, node, node.Options(Conv2DOptions)))
            return;

        // Weights (O, kH, kW, C/groups); the number of groups is nowhere but in the shapes.
        var (x, weights, bias) = ConvolutionWeights.Operands(importer, node, 4);
        var inChannels = weights.Shape[3];
        if (x.Shape.Rank != 4 || inChannels < 1 || x.Shape[3] % inChannels != 0)
        {
            const string Expected = "expected 4 dimensions and channels in whole groups of";
            throw TFLiteImporter.Refused(node, $"the input is {x.Type} and the weights are {weights.Type}; {Expected} {inChannels}.");
        }

        weights = ConvolutionWeights.Permuted(importer, node, weights, [1, 2, 3, 0]);
        var table = node.Options(Conv2DOptions);
        var options = Options(node, table, 4) with { Groups = x.Shape[3] / inChannels };
        importer.Set(node, FusedActivation.Layer(
            importer,
            node,
            table.Byte(3),
            activation => new Conv2DOperator(options with { Activation = activation }),
            (output, min, max) => x.Type.Element == ElementType.Int16
                ? new TFLiteWideConvOperator(options, output, min, max)
                : new QuantizedConv2DOperator(options, x.Type.Element, output, min, max, Requantization.FixedPoint),
            x,
            weights,
            bias));
    }

    public static void ReadDepthwiseConv2D(TFLiteImporter importer, TFLiteNode node)
    {
        if (DynamicRangeOperators.TryReadDepthwise(importer, node, node.Options(DepthwiseConv2DOptions)))
            return;

        // Weights (1, kH, kW, C*M) are the same numbers as (kH, kW, C, M): output channel c*M + m.
        var (x, weights, bias) = ConvolutionWeights.Operands(importer, node, 4);
        var (shape, channels) = (weights.Shape, x.Shape.Rank == 4 ? x.Shape[3] : 0);
        if (channels < 1 || shape[0] != 1 || shape[3] % channels != 0)
        {
            const string Expected = "expected 4 dimensions each, the weights' first of length 1 and the last a multiple of the channels";
            throw TFLiteImporter.Refused(node, $"the input is {x.Type} and the weights are {weights.Type}; {Expected}.");
        }

        // With 16 bits it is a convolution in groups of one channel.
        var isWide = x.Type.Element == ElementType.Int16;
        var (inner, outer) = isWide ? (1, shape[3]) : (channels, shape[3] / channels);
        weights = ConvolutionWeights.Depthwise(importer, node, weights, new TensorShape(shape[1], shape[2], inner, outer));
        var table = node.Options(DepthwiseConv2DOptions);
        var options = Options(node, table, 5);
        importer.Set(node, FusedActivation.Layer(
            importer,
            node,
            table.Byte(4),
            activation => new DepthwiseConv2DOperator(options with { Activation = activation }),
            (output, min, max) => isWide
                ? new TFLiteWideConvOperator(options with { Groups = channels }, output, min, max)
                : new QuantizedDepthwiseConv2DOperator(options, x.Type.Element, output, min, max, Requantization.FixedPoint),
            x,
            weights,
            bias));
    }

    public static void ReadTransposeConv(TFLiteImporter importer, TFLiteNode node)
    {
        // Inputs: the output's shape, weights (O, kH, kW, C), x, bias.
        var size = importer.Integers(node, 0, "output shape");
        var (weights, x, bias) = (importer.Input(node, 1), importer.Input(node, 2), importer.Optional(node, 3));
        if (size.Length != 4 || weights.Shape.Rank != 4 || x.Shape.Rank != 4)
        {
            throw TFLiteImporter.Refused(
                node,
                $"the output shape has {size.Length} numbers, the weights are {weights.Type} and the input {x.Type}; expected 4 of each.");
        }

        var table = node.Options(TransposeConvOptions);
        var padding = ConvolutionWeights.Padding(node, table.Byte(0));
        var rows = Axis(node, padding, x.Shape[1], size[1], weights.Shape[1], table.Int32(2));
        var columns = Axis(node, padding, x.Shape[2], size[2], weights.Shape[2], table.Int32(1));
        var stride = new Size2D(table.Int32(2), table.Int32(1));
        if (!x.Type.Element.IsByte())
        {
            weights = ConvolutionWeights.AsFloat(importer, node, weights);
            bias = bias is null ? null : ConvolutionWeights.AsFloat(importer, node, bias);
        }

        importer.Set(node, FusedActivation.Layer(
            importer,
            node,
            table.Byte(3),
            activation => new ConvTranspose2DOperator(
                stride, 1, rows.Before, rows.After, columns.Before, columns.After, (rows.More, columns.More), 1, activation),
            (output, min, max) => new TFLiteConvTranspose2DOperator(
                stride, rows.Before, columns.Before, (size[1], size[2]), output, min, max),
            x,
            ConvolutionWeights.Permuted(importer, node, weights, [1, 2, 3, 0]),
            bias));
    }

    /// <summary>Padding, stride and dilation; the number of the field of the dilation's width is not the same everywhere.</summary>
    public static ConvOptions Options(TFLiteNode node, FlatTable table, int dilation) => new()
    {
        Padding = ConvolutionWeights.Padding(node, table.Byte(0)),
        Stride = (table.Int32(2), table.Int32(1)),
        Dilation = (table.Int32(dilation + 1, 1), table.Int32(dilation, 1)),
    };

    // What is cut off before and after, or added after, so that the output has the size that the file asks for: the padding is that of
    // the convolution from the output's size back to the input's.
    private static (int Before, int After, int More) Axis(TFLiteNode node, Padding padding, int input, int output, int kernel, int stride)
    {
        if (stride < 1 || output < 1 || kernel < 1)
            throw TFLiteImporter.Refused(node, $"stride {stride}, output length {output} and kernel length {kernel} must be 1 or more.");
        long back = padding == Padding.Same ? ((long)output + stride - 1) / stride : ((long)output - kernel + stride) / stride;
        var before = Math.Max(0, ((back - 1) * stride) + kernel - output) / 2;
        var full = ((long)stride * (input - 1)) + kernel;
        var after = full - before - output;
        if (back != input)
        {
            var lengths = $"an output length of {output} with stride {stride} and kernel length {kernel}";
            throw TFLiteImporter.Refused(node, $"{lengths} goes back to {back}, but the input's length is {input}.");
        }

        return (checked((int)before), checked((int)Math.Max(0, after)), checked((int)Math.Max(0, -after)));
    }
}
