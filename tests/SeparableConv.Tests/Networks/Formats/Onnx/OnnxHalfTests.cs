using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.Onnx.Schema;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Models of 16-bit floats: float32 between, the file's types at the ends.</summary>
public sealed class OnnxHalfTests
{
    private const int Float32 = 1;
    private const int Float16 = 10;
    private const int BFloat16 = 16;

    [Fact]
    public void Layers_of_float16_are_computed_in_float32()
    {
        var (image, weights, bias) = (Halves(3 * 5 * 6, 1), Halves(4 * 3 * 3 * 3, 2), Halves(4, 3));
        Network Of(bool half)
        {
            var model = new OnnxBuilder().Input("x", "1", "3", "5", "6").Output("y", "c");
            Stored(model, "w", weights, half, 4, 3, 3, 3);
            Stored(model, "b", bias, half, 4);
            Stored(model, "slope", Halves(4, 4), half, 4, 1, 1);
            model.Node("Conv", ["x", "w", "b"], ["c"], Ints("pads", 1, 1, 1, 1)).Node("PRelu", ["c", "slope"], ["p"])
                .Node("AveragePool", ["p"], ["a"], Ints("kernel_shape", 2, 2)).Node("Softmax", ["a"], ["s"], Int("axis", 1))
                .Node("GlobalAveragePool", ["s"], ["g"]).Node("Flatten", ["g"], ["y"]);
            return Typed(model, half ? Float16 : Float32).Read();
        }

        var network = Of(half: true);
        Assert.Equal(ElementType.Float16, network.Inputs[0].Type.Element);
        Assert.All(network.Outputs, output => Assert.Equal(ElementType.Float16, output.Type.Element));
        using var halves = new InferenceSession(network);
        using var floats = new InferenceSession(Of(half: false));
        image.CopyTo(MemoryMarshal.Cast<byte, Half>(halves.InputBytes(0)));
        Array.ConvertAll(image, number => (float)number).CopyTo(MemoryMarshal.Cast<byte, float>(floats.InputBytes(0)));
        halves.Run();
        floats.Run();
        for (var i = 0; i < 2; i++)
        {
            var expected = MemoryMarshal.Cast<byte, float>(floats.OutputBytes(i)).ToArray();
            Assert.Equal(
                Array.ConvertAll(expected, number => (Half)number), MemoryMarshal.Cast<byte, Half>(halves.OutputBytes(i)).ToArray());
        }
    }

    [Fact]
    public void A_cast_to_float16_rounds()
    {
        var model = new OnnxBuilder().Input("x", "5").Node("Cast", ["x"], ["h"], Int("to", Float16))
            .Node("Cast", ["h"], ["y"], Int("to", Float32)).Output("y");
        using var session = new InferenceSession(model.Read());
        float[] numbers = [1.0001f, 70000, -1e-9f, 0.1f, 3];
        numbers.CopyTo(MemoryMarshal.Cast<byte, float>(session.InputBytes(0)));
        session.Run();
        Assert.Equal(
            Array.ConvertAll(numbers, number => (float)(Half)number), MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Weights_of_bfloat16_are_read(bool raw)
    {
        float[] numbers = [1, -2.5f, 0.15625f, float.PositiveInfinity, 3e38f, 0];
        var bits = Array.ConvertAll(numbers, number => (ushort)(BitConverter.SingleToUInt32Bits(number) >> 16));
        var tensor = new TensorProto { Name = "w", DataType = BFloat16, Dims = { 6 } };
        if (raw)
            tensor.RawData = Google.Protobuf.ByteString.CopyFrom(MemoryMarshal.AsBytes(bits.AsSpan()));
        else
            tensor.Int32Data.Add(bits.Select(one => (int)one));
        var model = new OnnxBuilder().Input("x", "6").Node("Add", ["x", "w"], ["y"]).Output("y");
        model.Model.Graph.Initializer.Add(tensor);
        using var session = new InferenceSession(Typed(model, BFloat16).Read());
        Assert.Equal(ElementType.Float32, session.Inputs[0].Type.Element);
        session.Run();
        Assert.Equal(
            Array.ConvertAll(bits, one => BitConverter.UInt32BitsToSingle((uint)one << 16)),
            MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray());
    }

    [Fact]
    public void What_is_computed_only_in_a_run_has_the_files_types_too()
    {
        var model = new OnnxBuilder().Input("x", "4").Node("NonZero", ["x"], ["n"]).Node("Reshape", ["n", "flat"], ["i"])
            .Constant("flat", [-1L], 1).Node("Gather", ["x", "i"], ["y"]).Output("y");
        using var session = new InferenceSession(Typed(model, Float16).Read());
        new[] { (Half)0, (Half)1.5, (Half)(-2), (Half)0 }.CopyTo(MemoryMarshal.Cast<byte, Half>(session.InputBytes(0)));
        session.Run();
        Assert.Equal([(Half)1.5, (Half)(-2)], MemoryMarshal.Cast<byte, Half>(session.OutputBytes(0)).ToArray());
    }

    private static Half[] Halves(int count, int seed) => Array.ConvertAll(RandomData.Floats(count, seed), number => (Half)number);

    private static void Stored(OnnxBuilder model, string name, Half[] numbers, bool half, params int[] shape)
    {
        if (half)
            model.Constant(name, numbers, shape);
        else
            model.Constant(name, Array.ConvertAll(numbers, number => (float)number), shape);
    }

    private static OnnxBuilder Typed(OnnxBuilder model, int element)
    {
        foreach (var value in model.Model.Graph.Input.Concat(model.Model.Graph.Output))
            value.Type.TensorType.ElemType = element;
        return model;
    }
}
