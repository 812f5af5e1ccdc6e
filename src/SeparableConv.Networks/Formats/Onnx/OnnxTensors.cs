using Google.Protobuf;
using Google.Protobuf.Collections;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Reads and writes tensors as ONNX stores them: raw bytes, lists of numbers, or bytes in another file.</summary>
internal static class OnnxTensors
{
    /// <summary>Reads a tensor's type and numbers.</summary>
    /// <param name="tensor">As stored.</param>
    /// <param name="external">Where data outside the model is read from; null where the model has no folder.</param>
    /// <exception cref="NetworkException">The element type is not supported, or shape and data do not agree.</exception>
    public static TensorData Read(TensorProto tensor, ExternalData? external)
    {
        var what = $"Tensor '{OneLine.Of(tensor.Name)}'";
        var type = new TensorType(OnnxElements.Read(tensor.DataType, what), FileShape.Read(tensor.Dims, what));
        if (tensor.DataType == OnnxElements.BFloat16)
            return Widened(Read(type with { Element = ElementType.UInt16 }, tensor, external, what));
        return Read(type, tensor, external, what);
    }

    /// <summary>Writes a tensor as raw bytes, little endian.</summary>
    public static TensorProto Write(string name, TensorData data)
    {
        var tensor = new TensorProto
        {
            Name = name,
            DataType = OnnxElements.Write(data.Type.Element),
            RawData = ByteString.CopyFrom(data.Bytes),
        };
        foreach (var length in data.Type.Shape.Lengths)
            tensor.Dims.Add(length);
        return tensor;
    }

    private static TensorData Read(TensorType type, TensorProto tensor, ExternalData? external, string what)
    {
        if (type.Shape.ElementCount > Array.MaxLength || type.Bytes > Array.MaxLength)
            throw new NetworkException($"{what} is {type}: {type.Shape.ElementCount} elements are more than one tensor can hold.");
        if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
            return Raw(type, external is null
                ? throw new NetworkException($"{what} is in another file, which is found only where a model is read by its path.")
                : external.Read(tensor, what, type.Bytes), what);
        if (tensor.HasRawData)
            return Raw(type, tensor.RawData.Span, what);
        return type.Element switch
        {
            ElementType.Float32 => Typed(type, tensor.FloatData, what),
            ElementType.Float64 => Typed(type, tensor.DoubleData, what),
            ElementType.Int32 => Typed(type, tensor.Int32Data, what),
            ElementType.Int64 => Typed(type, tensor.Int64Data, what),
            ElementType.UInt64 => Typed(type, tensor.Uint64Data, what),
            ElementType.UInt32 => Converted(type, tensor.Uint64Data, number => (uint)number, what),
            ElementType.Int8 => Converted(type, tensor.Int32Data, number => (sbyte)number, what),
            ElementType.UInt8 => Converted(type, tensor.Int32Data, number => (byte)number, what),
            ElementType.Int16 => Converted(type, tensor.Int32Data, number => (short)number, what),
            ElementType.UInt16 => Converted(type, tensor.Int32Data, number => (ushort)number, what),
            ElementType.Float16 => Converted(type, tensor.Int32Data, number => BitConverter.UInt16BitsToHalf((ushort)number), what),
            _ => Converted(type, tensor.Int32Data, number => number != 0, what),
        };
    }

    // bfloat16 is the upper half of a float32.
    private static TensorData Widened(TensorData halves)
    {
        var floats = Array.ConvertAll((ushort[])halves.Values, bits => BitConverter.UInt32BitsToSingle((uint)bits << 16));
        return new(halves.Type with { Element = ElementType.Float32 }, floats);
    }

    private static TensorData Raw(TensorType type, ReadOnlySpan<byte> bytes, string what)
    {
        if (bytes.Length != type.Bytes)
            throw new NetworkException($"{what} is {type}, {type.Bytes} bytes, but has {bytes.Length} bytes of data.");
        var data = TensorData.CreateZeros(type);
        if (type.Element == ElementType.Bool)
        {
            // Any byte but 0 is true; as a bool it must be 1.
            var flags = (bool[])data.Values;
            for (var i = 0; i < flags.Length; i++)
                flags[i] = bytes[i] != 0;
        }
        else
        {
            bytes.CopyTo(data.Bytes);
        }

        return data;
    }

    private static TensorData Typed<T>(TensorType type, RepeatedField<T> numbers, string what)
    {
        Check(type, numbers.Count, what);
        var values = new T[numbers.Count];
        numbers.CopyTo(values, 0);
        return new TensorData(type, values);
    }

    private static TensorData Converted<TStored, T>(TensorType type, RepeatedField<TStored> numbers, Func<TStored, T> convert, string what)
    {
        Check(type, numbers.Count, what);
        var values = new T[numbers.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = convert(numbers[i]);
        return new TensorData(type, values);
    }

    private static void Check(TensorType type, int count, string what)
    {
        if (count != type.Shape.ElementCount)
            throw new NetworkException($"{what} is {type} but has {count} numbers of data; expected {type.Shape.ElementCount}.");
    }
}
