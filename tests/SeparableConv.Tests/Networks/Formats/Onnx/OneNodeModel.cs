using Google.Protobuf;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// An ONNX model of one node. It is run as it is read, on one thread and on three, which must give the same bits, and as it is written and
/// read again, where sums of floats may be done in another order.
/// </summary>
internal sealed class OneNodeModel(string type, int opset, params AttributeProto[] attributes)
{
    /// <summary>Inputs from this one on are initializers; the ones before it are given when the model runs.</summary>
    public int FirstConstant { get; init; } = int.MaxValue;

    public int Outputs { get; init; } = 1;

    /// <summary>The outputs.</summary>
    public TensorData[] Run(params TensorData?[] inputs)
    {
        var network = Read(inputs);
        var results = Run(network, inputs, 1);
        foreach (var (other, threads) in new[] { (network, 3), (OnnxBackend.RoundTrip(network), 1) })
        {
            var same = Run(other, inputs, threads);
            for (var i = 0; i < results.Length; i++)
            {
                Assert.Equal(results[i].Type.ToString(), same[i].Type.ToString());
                var isSame = results[i].Bytes.SequenceEqual(same[i].Bytes)
                    || (threads == 1 && results[i].Type.Element.IsFloat() && IsNear(results[i], same[i]));
                Assert.True(isSame, $"{type}: output {i} differs {(threads == 1 ? "when it was written" : "with three threads")}.");
            }
        }

        return results;
    }

    /// <summary>Checks the first output: its shape, and its numbers within a bound relative to the larger of 1 and the number.</summary>
    public void Check(int[] shape, double[] expected, double bound, params TensorData?[] inputs)
    {
        var y = Run(inputs)[0];
        Assert.Equal(new TensorShape(shape), y.Type.Shape);
        var actual = Operators.OperatorRun.Doubles(y);
        for (var i = 0; i < expected.Length; i++)
        {
            var isNear = Math.Abs(expected[i] - actual[i]) <= bound * Math.Max(1, Math.Abs(expected[i])) || expected[i].Equals(actual[i]);
            Assert.True(isNear, $"{type}: element {i} is {actual[i]:R}, expected {expected[i]:R}.");
        }
    }

    /// <summary>What the reader says where it refuses the model.</summary>
    public string Refusal(params TensorData?[] inputs)
    {
        var e = Assert.Throws<NetworkException>(() => Read(inputs));
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    /// <summary>The network.</summary>
    public Network Read(params TensorData?[] inputs)
    {
        var model = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto(),
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset } },
        };
        var node = new NodeProto { OpType = type, Name = "node" };
        for (var i = 0; i < inputs.Length; i++)
        {
            node.Input.Add(inputs[i] is null ? "" : $"x{i}");
            if (inputs[i] is not { } data)
                continue;
            if (i >= FirstConstant)
                model.Graph.Initializer.Add(OnnxTensors.Write($"x{i}", data));
            else
                model.Graph.Input.Add(new ValueInfoProto { Name = $"x{i}", Type = new TypeProto { TensorType = Typed(data.Type) } });
        }

        for (var i = 0; i < Outputs; i++)
        {
            node.Output.Add($"y{i}");
            model.Graph.Output.Add(new ValueInfoProto { Name = $"y{i}" });
        }

        node.Attribute.Add(attributes);
        model.Graph.Node.Add(node);
        using var stream = new MemoryStream(model.ToByteArray());
        return OnnxReader.Read(stream);
    }

    private static bool IsNear(TensorData a, TensorData b) => Operators.OperatorRun.Doubles(a).Zip(Operators.OperatorRun.Doubles(b)).All(
        pair => pair.First.Equals(pair.Second) || Math.Abs(pair.First - pair.Second) <= 1e-5 * Math.Max(1, Math.Abs(pair.First)));

    private static TensorData[] Run(Network network, TensorData?[] inputs, int threads)
    {
        using var session = new InferenceSession(network, new() { Threads = threads });
        for (var i = 0; i < network.Inputs.Count; i++)
        {
            var index = int.Parse(network.Inputs[i].Name[1..], System.Globalization.CultureInfo.InvariantCulture);
            inputs[index]!.Bytes.CopyTo(session.InputBytes(i));
        }

        session.Run();
        var outputs = new TensorData[network.Outputs.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            outputs[i] = TensorData.CreateZeros(network.Outputs[i].Type);
            session.OutputBytes(i).CopyTo(outputs[i].Bytes);
        }

        return outputs;
    }

    private static TypeProto.Types.Tensor Typed(TensorType type)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = OnnxElements.Write(type.Element), Shape = new TensorShapeProto() };
        foreach (var length in type.Shape.Lengths)
            tensor.Shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = length });
        return tensor;
    }
}
