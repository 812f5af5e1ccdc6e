namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// A tensor of an ONNX graph, and the network's values that hold its elements in ONNX's layout, channels last, or both.
/// <see cref="OnnxGraph"/> makes the value that is missing when a node asks for it. A quantized constant that the model dequantizes has
/// no value at first: layers that can use the bytes take <see cref="Dequantized"/>, and floats are made when a node asks for them.
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

    /// <summary>The shape in ONNX's layout.</summary>
    public TensorShape Shape { get; }

    public int Rank => Shape.Rank;

    public ElementType Element => (Original ?? ChannelsLast)?.Type.Element ?? ElementType.Float32;

    public bool IsConstant => Dequantized is not null || (Original ?? ChannelsLast)!.IsConstant;

    /// <summary>The quantized constant that this tensor is the dequantized form of; null for other tensors.</summary>
    public OnnxDequantized? Dequantized { get; private init; }

    public Value? Original { get; set; }

    public Value? ChannelsLast { get; set; }

    /// <summary>A tensor in ONNX's layout.</summary>
    public static OnnxValue First(string name, Value original) => new(name, original.Shape, original, null);

    /// <summary>A quantized constant that is dequantized when a node asks for the floats.</summary>
    public static OnnxValue Of(string name, OnnxDequantized source) => new(name, source.Numbers.Shape, null, null) { Dequantized = source };

    /// <summary>An image or row with channels last.</summary>
    public static OnnxValue Last(string name, Value channelsLast, int rank) =>
        new(name, ImageLayout.ToFirst(channelsLast.Shape, rank), null, channelsLast);
}

/// <summary>A constant that a DequantizeLinear of the model dequantizes: scale*(q - zeroPoint).</summary>
/// <param name="Numbers">q, as ONNX lays it out.</param>
/// <param name="Scale">One, or one for each index along the axis.</param>
/// <param name="ZeroPoint">As many, or null for 0.</param>
/// <param name="Axis">The dimension of q that the scales run along, where they are several.</param>
internal sealed record OnnxDequantized(Value Numbers, Value Scale, Value? ZeroPoint, int Axis)
{
    public bool IsPerTensor => Scale.Shape.ElementCount == 1;

    /// <summary>Whether the elements are bytes, with one scale or one for each index along a dimension.</summary>
    public bool IsBytesAlong(int axis) => Numbers.Type.Element.IsByte() && (IsPerTensor || Axis == axis);

    /// <summary>The inputs of a <see cref="DequantizeLinearOperator"/> of the same numbers, moved to another place.</summary>
    public Value[] Inputs(Value numbers) => ZeroPoint is null ? [numbers, Scale] : [numbers, Scale, ZeroPoint];
}
