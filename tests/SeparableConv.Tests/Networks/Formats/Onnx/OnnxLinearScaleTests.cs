using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>QuantizeLinear and DequantizeLinear as models say them: opsets, domains, types and attributes.</summary>
public sealed class OnnxLinearScaleTests
{
    public static TheoryData<string, int, int> Kinds() => new()
    {
        { "", 10, 3 }, { "", 13, 2 }, { "", 19, 3 }, { "", 21, 4 }, { "", 21, 5 }, { "", 23, 2 }, { "com.microsoft.", 17, 2 },
        { "com.microsoft.", 17, 3 }, { "com.microsoft.", 17, 4 }, { "com.microsoft.", 17, 5 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Numbers_are_quantized_and_back(string domain, int opset, int type)
    {
        foreach (var axis in opset < 13 ? new int?[] { null } : [null, 0, 2, -1])
        {
            int[] shape = [3, 4, 5];
            var count = axis is { } along ? shape[along < 0 ? along + 3 : along] : 1;
            float[] scales = [.. Enumerable.Range(0, count).Select(i => 0.02f * (i + 1))];
            int[] zeros = [.. Enumerable.Range(0, count).Select(i => i + 3)];
            int[] of = axis is null ? [] : [count];
            var builder = new OnnxBuilder(opset).Input("x", "3", "4", "5").Constant("s", scales, of);
            builder = type switch
            {
                2 => builder.Constant("z", Array.ConvertAll(zeros, zero => (byte)zero), of),
                3 => builder.Constant("z", Array.ConvertAll(zeros, zero => (sbyte)zero), of),
                4 => builder.Constant("z", Array.ConvertAll(zeros, zero => (ushort)zero), of),
                _ => builder.Constant("z", Array.ConvertAll(zeros, zero => (short)zero), of),
            };
            var attributes = axis is { } given ? new[] { OnnxBuilder.Int("axis", given) } : [];
            builder.Node(domain + "QuantizeLinear", ["x", "s", "z"], ["q"], attributes)
                .Node(domain + "DequantizeLinear", ["q", "s", "z"], ["y"], attributes);
            var x = Array.ConvertAll(RandomData.Floats(60, 1), number => number * 9);
            var (least, most) = type switch { 2 => (0, 255), 3 => (-128, 127), 4 => (0, 65535), _ => (-32768, 32767) };
            var expected = x.Select((number, i) =>
            {
                var index = axis switch { null => 0, 0 => i / 20, _ => i % 5 };
                return (Math.Clamp((int)MathF.Round(number / scales[index]) + zeros[index], least, most) - zeros[index]) * scales[index];
            }).ToArray();
            Assert.Equal(expected, Run<float, float>(builder, x));
        }
    }

    [Fact]
    public void Half_precision_is_computed_in_single_and_rounded_once()
    {
        var x = Array.ConvertAll(RandomData.Floats(50, 1), number => (Half)(number * 9));
        var scale = (Half)0.037;
        var builder = new OnnxBuilder(19).Input("x", "50").Constant("s", [scale]).Constant("z", [(sbyte)-7])
            .Node("QuantizeLinear", ["x", "s", "z"], ["q"]).Node("DequantizeLinear", ["q", "s", "z"], ["y"]);
        builder.Model.Graph.Input[0].Type.TensorType.ElemType = 10;
        var expected = x.Select(number =>
        {
            var q = Math.Clamp(MathF.Round((float)number / (float)scale) - 7, -128, 127);
            return (Half)((q + 7) * (float)scale);
        }).ToArray();
        Assert.Equal(expected, Run<Half, Half>(builder, x));
    }

    [Fact]
    public void The_result_may_be_asked_for_in_another_precision()
    {
        var builder = new OnnxBuilder(23).Input("x", "3").Constant("s", [0.1f]).Constant("z", [(byte)2])
            .Node("QuantizeLinear", ["x", "s"], ["q"], OnnxBuilder.Int("output_dtype", 2))
            .Node("DequantizeLinear", ["q", "s", "z"], ["y"], OnnxBuilder.Int("output_dtype", 10));
        Assert.Equal([(Half)(-0.2f), (Half)0.1f, (Half)1.3f], Run<float, Half>(builder, [-5, 0.3f, 1.5f]));
    }

    [Theory]
    [InlineData("output_dtype", 22, "int4")]
    [InlineData("output_dtype", 21, "uint4")]
    [InlineData("output_dtype", 17, "float8e4m3fn")]
    [InlineData("block_size", 2, "scales of blocks")]
    public void What_is_not_supported_is_refused_by_name(string attribute, int value, string said)
    {
        var e = Assert.Throws<NetworkException>(() => new OnnxBuilder(23).Input("x", "4").Constant("s", [0.1f])
            .Node("QuantizeLinear", ["x", "s"], ["y"], OnnxBuilder.Int(attribute, value)).Output("y").Read());
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }

    private static TOut[] Run<TIn, TOut>(OnnxBuilder builder, TIn[] x)
        where TIn : unmanaged
        where TOut : unmanaged
    {
        var network = builder.Typed("y", typeof(TOut) == typeof(Half) ? 10 : 1).Read();
        TOut[] result = [];
        foreach (var one in new[] { network, OnnxBackend.RoundTrip(network) })
        {
            foreach (var threads in new[] { 3, 1 })
            {
                using var session = new InferenceSession(one, new() { Threads = threads, Optimize = threads == 1 });
                MemoryMarshal.AsBytes(x.AsSpan()).CopyTo(session.InputBytes(0));
                session.Run();
                var y = MemoryMarshal.Cast<byte, TOut>(session.OutputBytes(0)).ToArray();
                Assert.True(result.Length == 0 || result.SequenceEqual(y));
                result = y;
            }
        }

        return result;
    }
}
