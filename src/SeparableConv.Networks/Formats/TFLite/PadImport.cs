using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Reads the pads.</summary>
internal static class PadImport
{
    private const int MirrorPadOptions = 77;
    private const byte Symmetric = 1;

    public static void Pad(TFLiteImporter importer, TFLiteNode node)
    {
        // Quantized numbers are padded with what stands for 0.
        var x = importer.Input(node, 0);
        var (before, after) = Pads(importer, node, x);
        importer.Set(node, importer.Emit(node, new PadOperator(before, after, PadMode.Constant, x.Type.Quantization?.ZeroPoint ?? 0), x));
    }

    public static void PadV2(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, value) = (importer.Input(node, 0), importer.Input(node, 2));
        var (before, after) = Pads(importer, node, x);
        double constant = value.Constant?.Values switch
        {
            float[] and [var number] => number,
            sbyte[] and [var number] => number,
            byte[] and [var number] => number,
            int[] and [var number] => number,
            long[] and [var number] => number,
            _ => throw TFLiteImporter.Refused(node, $"the value to pad with is {value.Type}; expected one constant of the input's type."),
        };
        importer.Set(node, importer.Emit(node, new PadOperator(before, after, PadMode.Constant, constant), x));
    }

    public static void MirrorPad(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var (before, after) = Pads(importer, node, x);
        var isSymmetric = node.Options(MirrorPadOptions).Byte(0) == Symmetric;
        for (var d = 0; d < before.Length; d++)
        {
            var most = x.Shape[d] - (isSymmetric ? 0 : 1);
            if (before[d] > most || after[d] > most)
                throw TFLiteImporter.Refused(node, $"dimension {d} of {x.Type} is padded with {before[d]} and {after[d]} mirrored elements; there are {most} to mirror.");
        }

        if (!isSymmetric)
        {
            importer.Set(node, importer.Emit(node, new PadOperator(before, after, PadMode.Reflect, 0), x));
            return;
        }

        // The border element is repeated too: a selection along each dimension.
        for (var d = 0; d < before.Length; d++)
        {
            if (before[d] == 0 && after[d] == 0)
                continue;
            var (length, left) = (x.Shape[d], before[d]);
            var indices = new int[checked(length + left + after[d])];
            for (var i = 0; i < indices.Length; i++)
                indices[i] = i < left ? left - 1 - i : i < left + length ? i - left : (2 * length) + left - 1 - i;
            x = importer.Emit(node, new GatherOperator(d), x, importer.Constant(node, indices, indices.Length));
        }

        importer.Set(node, x);
    }

    private static (int[] Before, int[] After) Pads(TFLiteImporter importer, TFLiteNode node, Value x)
    {
        var pads = importer.Integers(node, 1, "pads");
        if (pads.Length != 2 * x.Shape.Rank || pads.Any(pad => pad < 0))
            throw TFLiteImporter.Refused(node, $"there are {pads.Length} pads for {x.Type}; expected {2 * x.Shape.Rank}, each 0 or more.");
        var (before, after) = (new int[x.Shape.Rank], new int[x.Shape.Rank]);
        for (var d = 0; d < before.Length; d++)
            (before[d], after[d]) = (pads[2 * d], pads[(2 * d) + 1]);
        return (before, after);
    }
}
