namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>A tensor as the file describes it.</summary>
/// <param name="Index">Its number in the graph.</param>
/// <param name="Name">Its name, in one line; may be empty or not unique.</param>
/// <param name="Element">What its elements are; null for types that networks here do not have.</param>
/// <param name="TypeCode">The schema's number of the element type.</param>
/// <param name="Shape">Its lengths; what is not known beforehand, as a batch, is 1.</param>
/// <param name="Table">The file's own record, for what is rarely needed.</param>
internal sealed record TFLiteTensor(int Index, string Name, ElementType? Element, int TypeCode, int[] Shape, FlatTable Table)
{
    private const int MostDimensions = 8;
    private static readonly string[] TypeNames =
    [
        "float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8", "float64", "complex128", "uint64",
        "resource", "variant", "uint32", "uint16", "int4", "bfloat16",
    ];

    /// <summary>The element type in words.</summary>
    public string TypeName => TypeCode < TypeNames.Length ? TypeNames[TypeCode] : $"type {TypeCode}";

    /// <summary>A length a dimension; null where the file leaves it open.</summary>
    /// <exception cref="NetworkException">The record is damaged.</exception>
    public int?[] OpenLengths()
    {
        var signature = Table.Has(7) ? Table.Array<int>(7, $"the shape signature of tensor {Index}", MostDimensions) : [];
        return [.. Shape.Select((length, i) => signature.Length == Shape.Length && signature[i] < 0 ? null : (int?)length)];
    }

    /// <summary>Which of the file's buffers holds its numbers.</summary>
    public uint Buffer => Table.UInt32(2);

    /// <summary>Which numbers are in the file, where not all are.</summary>
    public FlatTable? Sparsity => Table.Table(6);

    public static TFLiteTensor Read(int index, FlatTable table)
    {
        var code = table.Byte(1);
        var shape = table.Array<int>(0, $"the shape of tensor {index}", MostDimensions);
        for (var i = 0; i < shape.Length; i++)
        {
            if (shape[i] == -1)
                shape[i] = 1;
            if (shape[i] < 0)
                throw FlatBuffer.Damaged($"tensor {index} has length {shape[i]} in dimension {i}");
        }

        return new(index, table.Name(3), ElementOf(code), code, shape, table);
    }

    /// <summary>Reads scales and zero points; null where the file has none.</summary>
    /// <exception cref="NetworkException">The record is damaged or of a kind that is not known.</exception>
    public Quantization? ReadQuantization()
    {
        if (Table.Table(4) is not { } table || !table.Has(2))
            return null;
        var scales = table.Array<float>(2, $"the scales of tensor {Index}");
        if (scales.Length == 0)
            return null;
        var zeroPoints = table.Array<long>(3, $"the zero points of tensor {Index}");

        // A bias's scales run along its only dimension, whatever some converters write.
        var axis = Shape.Length == 1 ? 0 : table.Int32(6);
        if (zeroPoints.Length != scales.Length && zeroPoints.Length > 1)
            throw FlatBuffer.Damaged($"tensor {Index} has {scales.Length} scales and {zeroPoints.Length} zero points");
        if (scales.Length > 1 && (axis < 0 || axis >= Shape.Length || Shape[axis] != scales.Length))
            throw FlatBuffer.Damaged($"tensor {Index} has {scales.Length} scales along dimension {axis} of ({string.Join(',', Shape)})");

        // One zero point may serve many scales; 0 is what a missing one means.
        var points = new int[scales.Length];
        for (var i = 0; i < points.Length && zeroPoints.Length > 0; i++)
        {
            var point = zeroPoints[zeroPoints.Length == 1 ? 0 : i];
            points[i] = point is >= short.MinValue and <= ushort.MaxValue
                ? (int)point
                : throw FlatBuffer.Damaged($"tensor {Index} has zero point {point}");
        }

        try
        {
            return new Quantization(scales, points, scales.Length > 1 ? axis : 0);
        }
        catch (ArgumentException e)
        {
            throw new NetworkException($"Tensor {Index} '{Name}': {e.Message}", e);
        }
    }

    private static ElementType? ElementOf(int code) => code switch
    {
        0 => ElementType.Float32,
        1 => ElementType.Float16,
        2 => ElementType.Int32,
        3 => ElementType.UInt8,
        4 => ElementType.Int64,
        6 => ElementType.Bool,
        7 => ElementType.Int16,
        9 => ElementType.Int8,
        10 => ElementType.Float64,
        12 => ElementType.UInt64,
        15 => ElementType.UInt32,
        16 => ElementType.UInt16,
        _ => null,
    };
}
