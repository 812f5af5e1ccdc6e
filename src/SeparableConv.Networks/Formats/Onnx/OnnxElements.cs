namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Translates between element types and the numbers that ONNX has for them.</summary>
internal static class OnnxElements
{
    private static readonly string[] Names =
    [
        "undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64",
        "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
        "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2",
    ];

    /// <summary>What stands for 16-bit floats with the range of float32, which are read as float32.</summary>
    public const int BFloat16 = 16;

    /// <summary>The element type; null for one that is not supported here.</summary>
    public static ElementType? TryRead(long number) => number switch
    {
        1 => ElementType.Float32,
        2 => ElementType.UInt8,
        3 => ElementType.Int8,
        4 => ElementType.UInt16,
        5 => ElementType.Int16,
        6 => ElementType.Int32,
        7 => ElementType.Int64,
        9 => ElementType.Bool,
        10 => ElementType.Float16,
        11 => ElementType.Float64,
        12 => ElementType.UInt32,
        13 => ElementType.UInt64,
        BFloat16 => ElementType.Float32,
        _ => null,
    };

    /// <summary>The element type of something.</summary>
    /// <exception cref="NetworkException">It is not supported.</exception>
    public static ElementType Read(long number, string what) => TryRead(number) ?? throw new NetworkException(
        $"{what} has elements of {Name(number)}, which is not supported; "
        + "floats of 16, 32 and 64 bits, integers of 8 to 64 bits and bool are.");

    /// <summary>ONNX's number.</summary>
    public static int Write(ElementType type) => type switch
    {
        ElementType.Float32 => 1,
        ElementType.UInt8 => 2,
        ElementType.Int8 => 3,
        ElementType.UInt16 => 4,
        ElementType.Int16 => 5,
        ElementType.Int32 => 6,
        ElementType.Int64 => 7,
        ElementType.Bool => 9,
        ElementType.Float16 => 10,
        ElementType.Float64 => 11,
        ElementType.UInt32 => 12,
        _ => 13,
    };

    private static string Name(long number) => number >= 0 && number < Names.Length ? Names[number] : $"type {number}";
}
