using System.Diagnostics;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>What is wrong with a file is said in one line, and quickly.</summary>
public class TFLiteErrorTests
{
    [Theory]
    [InlineData("0_subgraphs.bin", "has no graph")]
    [InlineData("conv_huge_im2col.bin", "MaxTensorBytes allows more")]
    [InlineData("empty_model.bin", "has no outputs")]
    [InlineData("segment_sum_invalid_buffer.bin", "1 operator that is not supported: SEGMENT_SUM (operator 0)")]
    [InlineData("test_model_broken.bin", "are not TFL3")]
    public void Broken_models_are_refused(string file, string why)
    {
        var e = Assert.Throws<NetworkException>(() => TFLiteReader.Read(TestFiles.Shared("bad-models", file)));
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("models", "kws_ref_model_int8.tflite", 1)]
    [InlineData("bad-models", "pc_conv.bin", 1)]
    [InlineData("models", "vww_96_float.tflite", 301)]
    public void A_file_cut_anywhere_is_refused_or_read(string folder, string name, int step)
    {
        var bytes = File.ReadAllBytes(TestFiles.Shared(folder, name));
        var watch = Stopwatch.StartNew();
        for (var length = 0; length < bytes.Length; length += step)
            Refuses(bytes.AsMemory(0, length));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 60);
    }

    [Theory]
    [InlineData("models", "kws_ref_model_int8.tflite")]
    [InlineData("models", "resnet8_int8.tflite")]
    [InlineData("bad-models", "pc_conv.bin")]
    public void A_file_with_changed_bytes_is_refused_or_read(string folder, string name)
    {
        // Numbers are most of a file; what says anything is changed as often where it is little.
        var original = File.ReadAllBytes(TestFiles.Shared(folder, name));
        var random = new Random(4711);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 3000 && watch.Elapsed.TotalSeconds < 30; i++)
        {
            var bytes = original.ToArray();
            for (var changes = random.Next(1, 8); changes > 0; changes--)
            {
                var at = random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(2000, bytes.Length));
                bytes[at] = random.Next(3) switch
                {
                    0 => (byte)random.Next(256),
                    1 => 0xFF,
                    _ => (byte)(bytes[at] ^ (1 << random.Next(8))),
                };
            }

            Refuses(bytes);
        }
    }

    [Fact]
    public void All_operators_that_are_not_supported_are_named_at_once()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [4] };
        for (var i = 0; i < 5; i++)
            file.Tensor(ElementType.Float32, [1]);
        file.Operator(BuiltinOperator.LSTM, [0], [1]);
        file.Operator(BuiltinOperator.RELU, [1], [2]);
        file.Operator(BuiltinOperator.LSTM, [2], [3]);
        file.Operator(BuiltinOperator.CUSTOM, [3], [4]);
        file.Codes[^1][1] = "My\nOwn";
        Assert.Equal(
            "The model uses 2 operators that are not supported: LSTM (operator 0, 2), custom operator 'My Own' (operator 3).",
            Assert.Throws<NetworkException>(() => file.Read()).Message);
    }

    [Fact]
    public void What_operators_refuse_names_the_operator()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Int8, [1, 4, 4, 1], (0.1f, 0));
        file.Constant(new sbyte[1], [1, 1, 1, 1], (0.1f, 0));
        file.Tensor(ElementType.Int8, [1, 4, 4, 1]);
        file.Operator(BuiltinOperator.CONV_2D, [0, 1], [2], 1, new() { [0] = (byte)1, [1] = 1, [2] = 1 });
        Assert.Equal(
            "In operator 0 (CONV_2D): the output 't2' has no scale and zero point; quantized arithmetic needs them.",
            Assert.Throws<NetworkException>(() => file.Read()).Message);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(float.NaN)]
    [InlineData(-1f)]
    [InlineData(float.PositiveInfinity)]
    public void Scales_that_are_none_are_refused(float scale)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Int8, [4], (scale, 0));
        file.Tensor(ElementType.Int8, [4], (1f, 0));
        file.Operator(BuiltinOperator.RELU, [0], [1]);
        Assert.Contains(
            "a scale is finite and above 0",
            Assert.Throws<NetworkException>(() => file.Read()).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.Epsilon, 1e30f)]
    [InlineData(1e30f, float.Epsilon)]
    public void Scales_far_apart_are_no_crash(float first, float second)
    {
        foreach (var code in new[] { BuiltinOperator.ADD, BuiltinOperator.MUL, BuiltinOperator.PRELU })
        {
            var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
            file.Tensor(ElementType.Int8, [4], (first, 0));
            file.Tensor(ElementType.Int8, [4], (second, 0));
            file.Tensor(ElementType.Int8, [4], (first, 0));
            file.Operator(code, [0, 1], [2]);
            Runs(file, [1, 2, 3, 4], [5, 6, 7, 8]);
        }

        foreach (var code in new[]
        {
            BuiltinOperator.RELU6, BuiltinOperator.HARD_SWISH, BuiltinOperator.LEAKY_RELU, BuiltinOperator.LOGISTIC,
            BuiltinOperator.QUANTIZE,
        })
        {
            var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
            file.Tensor(ElementType.Int8, [4], (first, 0));
            file.Tensor(ElementType.Int8, [4], (second, 0));
            file.Operator(code, [0], [1], 75, new() { [0] = 0.1f });
            Runs(file, [1, 2, 3, 4]);
        }
    }

    [Fact]
    public void Tensors_that_nothing_computes_are_refused()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        for (var i = 0; i < 3; i++)
            file.Tensor(ElementType.Float32, [4]);
        file.Operator(BuiltinOperator.ADD, [0, 1], [2]);
        Assert.Equal(
            "In operator 0 (ADD): tensor 1 't1' has no numbers in the file and is computed by no operator before.",
            Assert.Throws<NetworkException>(() => file.Read()).Message);
    }

    [Fact]
    public void Constants_of_another_size_are_refused()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [4]);
        file.Constant(new float[3], [4]);
        file.Tensor(ElementType.Float32, [4]);
        file.Operator(BuiltinOperator.ADD, [0, 1], [2]);
        Assert.Equal(
            "Tensor 1 't1' is float32 (4), 16 bytes, but the file holds 12 bytes for it.",
            Assert.Throws<NetworkException>(() => file.Read()).Message);
    }

    [Fact]
    public void A_small_file_that_refers_to_itself_over_and_over_is_refused_quickly()
    {
        // One long vector of indices, shared by every operator: what is read would be the square of the file.
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Float32, [1]);
        file.Tensor(ElementType.Float32, [1]);
        file.Operator(BuiltinOperator.CONCATENATION, new int[40000], [1]);
        var watch = Stopwatch.StartNew();
        Refuses(Repeated(file.ToBytes(), 30000));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
    }

    // A file whose vector of operators names the first one many times.
    private static byte[] Repeated(byte[] file, int times)
    {
        int At(int at) => BitConverter.ToInt32(file, at);
        int Field(int table, int field) => table + BitConverter.ToUInt16(file, table - At(table) + 4 + (2 * field));
        int Follow(int at) => at + At(at);
        var graphs = Follow(Field(Follow(0), 2));
        var graph = Follow(graphs + 4);
        var place = Field(graph, 3);
        var node = Follow(Follow(place) + 4);
        var start = file.Length;
        var end = start + 4 + (4 * times);
        var result = new byte[end + file.Length];
        file.CopyTo(result, 0);

        // Offsets only lead forward: the repeated operator is that in a copy of the file behind the list.
        file.CopyTo(result, end);
        BitConverter.TryWriteBytes(result.AsSpan(place), start - place);
        BitConverter.TryWriteBytes(result.AsSpan(start), times);
        for (var i = 0; i < times; i++)
            BitConverter.TryWriteBytes(result.AsSpan(start + 4 + (4 * i)), end + node - (start + 4 + (4 * i)));
        return result;
    }

    private static void Runs(TFLiteFile file, params byte[][] inputs)
    {
        try
        {
            file.Run(inputs);
        }
        catch (NetworkException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    private static void Refuses(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            TFLiteReader.Read(bytes);
        }
        catch (NetworkException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }
}
