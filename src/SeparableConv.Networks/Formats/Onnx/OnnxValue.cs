namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// A tensor of an ONNX graph and the network's values that hold its numbers: as ONNX lays them out, channels last, or both.
/// At least one is there; <see cref="OnnxGraph"/> adds the other when somebody needs it. Dequantized constants are computed only
/// then: the layers that can use the bytes themselves ask for <see cref="Dequantized"/>.
/// </summary>
internal sealed class OnnxValue
{
    private OnnxValue(string name, TensorShape shape, Value? original, Value? channelsLast)
    {
        Name = name;
        Shape = shape;
        Original = original;
        ChannelsLast = channelsLast;
    }

    public string Name { get; }

    /// <summary>As ONNX sees it.</summary>
    public TensorShape Shape { get; }

    public int Rank => Shape.Rank;

    public ElementType Element => (Original ?? ChannelsLast)?.Type.Element ?? ElementType.Float32;

    public bool IsConstant => Dequantized is not null || (Original ?? ChannelsLast)!.IsConstant;

    /// <summary>What this is computed from, where it is a quantized constant that was dequantized; else null.</summary>
    public OnnxDequantized? Dequantized { get; private init; }

    public Value? Original { get; set; }

    public Value? ChannelsLast { get; set; }

    /// <summary>A tensor that lies as ONNX sees it.</summary>
    public static OnnxValue First(string name, Value original) => new(name, original.Shape, original, null);

    /// <summary>A quantized constant, dequantized when somebody asks for the floats.</summary>
    public static OnnxValue Of(string name, OnnxDequantized source) => new(name, source.Numbers.Shape, null, null) { Dequantized = source };

    /// <summary>An image or row that lies channels last.</summary>
    public static OnnxValue Last(string name, Value channelsLast, int rank) => new(name, ImageLayout.ToFirst(channelsLast.Shape, rank), null, channelsLast);
}
