using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>One operator in a hand-made file, run in sessions of one, two and three threads, which must agree.</summary>
internal sealed class TFLiteCall(string code, int optionsType = 0, FlatRecord? options = null)
{
    private readonly TFLiteFile _file = new();
    private readonly List<int> _operands = [];
    private readonly List<byte[]> _inputs = [];

    /// <summary>An input that is given at each run.</summary>
    public TFLiteCall Input<T>(T[] values, int[] shape, params (float, int)[] quantization)
        where T : unmanaged
    {
        _operands.Add(_file.Tensor(ElementTypes.Of<T>(), shape, quantization));
        _file.Inputs = [.. _file.Inputs, _operands[^1]];
        _inputs.Add(MemoryMarshal.AsBytes<T>(values).ToArray());
        return this;
    }

    /// <summary>An input of quantized bytes.</summary>
    public TFLiteCall Bytes(ElementType element, byte[] values, int[] shape, params (float, int)[] quantization)
    {
        _operands.Add(_file.Tensor(element, shape, quantization));
        _file.Inputs = [.. _file.Inputs, _operands[^1]];
        _inputs.Add(values);
        return this;
    }

    /// <summary>An input that the file holds.</summary>
    public TFLiteCall Constant<T>(T[] values, params int[] shape)
        where T : unmanaged
    {
        _operands.Add(_file.Constant(values, shape));
        return this;
    }

    /// <summary>The file with an output of a given type.</summary>
    public TFLiteFile File(ElementType element, int[] shape, params (float, int)[] quantization)
    {
        var output = _file.Tensor(element, shape, quantization);
        _file.Outputs = [output];
        _file.Operator(Enum.Parse<BuiltinOperator>(code), [.. _operands], [output], optionsType, options ?? []);
        return _file;
    }

    /// <summary>The elements of the output.</summary>
    public T[] Run<T>(int[] shape, params (float, int)[] quantization)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Run(ElementTypes.Of<T>(), shape, quantization)).ToArray();

    /// <summary>The bytes of the output.</summary>
    public byte[] Run(ElementType element, int[] shape, params (float, int)[] quantization)
    {
        var network = File(element, shape, quantization).Read();
        Assert.Equal(new TensorShape(shape), network.Outputs[0].Type.Shape);
        Assert.Equal(element, network.Outputs[0].Type.Element);
        var results = new List<byte[]>();
        for (var threads = 1; threads <= 3; threads++)
        {
            using var session = new InferenceSession(network, new() { Threads = threads });
            for (var i = 0; i < _inputs.Count; i++)
                _inputs[i].CopyTo(session.InputBytes(i));
            session.Run();
            results.Add(session.OutputBytes(0).ToArray());
            Assert.Equal(results[0], results[^1]);
        }

        return results[0];
    }
}
