using Google.Protobuf;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Formats.Onnx.Schema;
using AttributeType = SeparableConv.Networks.Formats.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Makes small ONNX models for tests.</summary>
internal sealed class OnnxBuilder(int opset = 17)
{
    public ModelProto Model { get; } =
        new() { IrVersion = 8, Graph = new GraphProto(), OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset } } };

    /// <summary>An input; a length that is no number is a symbol, an empty one is unknown.</summary>
    public OnnxBuilder Input(string name, params string[] shape)
    {
        Model.Graph.Input.Add(Info(name, 1, shape));
        return this;
    }

    /// <summary>An input of int8 or uint8.</summary>
    public OnnxBuilder Bytes(string name, bool signed, params int[] shape)
    {
        Model.Graph.Input.Add(Info(
            name, signed ? 3 : 2, Array.ConvertAll(shape, length => length.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        return this;
    }

    public OnnxBuilder Output(params string[] names)
    {
        foreach (var name in names)
            Model.Graph.Output.Add(Info(name, 1, []));
        return this;
    }

    /// <summary>An output of an element type, by ONNX's number.</summary>
    public OnnxBuilder Typed(string output, int element)
    {
        Model.Graph.Output.Add(Info(output, element, []));
        return this;
    }

    public OnnxBuilder Constant<T>(string name, T[] values, params int[] shape)
        where T : unmanaged
    {
        Model.Graph.Initializer.Add(OnnxTensors.Write(name, TensorData.Create(values, shape)));
        return this;
    }

    /// <summary>A constant of int8 or uint8 with these bytes in memory.</summary>
    public OnnxBuilder ByteConstant(string name, bool signed, byte[] bytes, params int[] shape) => signed
        ? Constant(name, Array.ConvertAll(bytes, raw => (sbyte)raw), shape)
        : Constant(name, bytes, shape);

    /// <summary>A node; the type has its domain in front where that is com.microsoft.</summary>
    public OnnxBuilder Node(string type, string[] inputs, string[] outputs, params AttributeProto[] attributes)
    {
        var node = OnnxOperators.Named(type);
        node.Name = outputs[0] + "_node";
        node.Input.Add(inputs);
        node.Output.Add(outputs);
        node.Attribute.Add(attributes);
        Model.Graph.Node.Add(node);
        return this;
    }

    public Network Read(OnnxReadOptions? options = null)
    {
        using var stream = new MemoryStream(Model.ToByteArray());
        return OnnxReader.Read(stream, options);
    }

    public static AttributeProto Int(string name, long value) => new() { Name = name, I = value, Type = AttributeType.Int };

    public static AttributeProto Float(string name, float value) => new() { Name = name, F = value, Type = AttributeType.Float };

    public static AttributeProto Floats(string name, params float[] values) =>
        new() { Name = name, Floats = { values }, Type = AttributeType.Floats };

    public static AttributeProto Ints(string name, params long[] values) =>
        new() { Name = name, Ints = { values }, Type = AttributeType.Ints };

    public static AttributeProto Text(string name, string value) =>
        new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = AttributeType.String };

    private static ValueInfoProto Info(string name, int element, string[] shape)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = element, Shape = new TensorShapeProto() };
        foreach (var length in shape)
        {
            tensor.Shape.Dim.Add(int.TryParse(length, out var number) ? new TensorShapeProto.Types.Dimension { DimValue = number }
                : length.Length > 0 ? new() { DimParam = length } : new());
        }

        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }
}
