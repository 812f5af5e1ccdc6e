using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Reads TRANSPOSE_CONV.</summary>
internal static class TransposeConvImport
{
    private const int TransposeConvOptions = 49;

    public static void TransposeConv(TFLiteImporter importer, TFLiteNode node)
    {
        // Inputs: the output's shape, weights (O, kH, kW, C), x, bias.
        var size = importer.Integers(node, 0, "output shape");
        var (weights, x, bias) = (importer.Input(node, 1), importer.Input(node, 2), importer.Optional(node, 3));
        if (size.Length != 4 || weights.Shape.Rank != 4 || x.Shape.Rank != 4)
            throw TFLiteImporter.Refused(node, $"the output shape has {size.Length} numbers, the weights are {weights.Type} and the input {x.Type}; expected 4 of each.");
        var table = node.Options(TransposeConvOptions);
        var padding = ConvolutionImport.Padding(node, table.Byte(0));
        var rows = Axis(node, padding, x.Shape[1], size[1], weights.Shape[1], table.Int32(2));
        var columns = Axis(node, padding, x.Shape[2], size[2], weights.Shape[2], table.Int32(1));
        var stride = new Size2D(table.Int32(2), table.Int32(1));
        var activation = table.Byte(3);
        if (x.Type.Element.IsByte())
        {
            var output = importer.OutputQuantization(node);
            var (min, max) = FusedActivation.Clamp(node, activation, output, x.Type.Element);
            var arranged = ConvolutionImport.Permuted(importer, node, weights, [1, 2, 3, 0]);
            var op = new QuantizedConvTranspose2DOperator(stride, rows.Before, columns.Before, (size[1], size[2]), output, min, max);
            importer.Set(node, importer.Emit(node, op, x, arranged, bias));
            return;
        }

        weights = ConvolutionImport.Permuted(importer, node, ConvolutionImport.AsFloat(importer, node, weights), [1, 2, 3, 0]);
        bias = bias is null ? null : ConvolutionImport.AsFloat(importer, node, bias);
        var transposed = new ConvTranspose2DOperator(
            stride, 1, rows.Before, rows.After, columns.Before, columns.After, (rows.More, columns.More), 1, FusedActivation.Float(node, activation));
        importer.Set(node, importer.Emit(node, transposed, x, weights, bias));
    }

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
        return back == input
            ? (checked((int)before), checked((int)Math.Max(0, after)), checked((int)Math.Max(0, -after)))
            : throw TFLiteImporter.Refused(node, $"an output length of {output} with stride {stride} and kernel length {kernel} goes back to {back}, but the input's length is {input}.");
    }
}
