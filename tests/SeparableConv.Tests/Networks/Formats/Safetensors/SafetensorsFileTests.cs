using System.Runtime.InteropServices;
using SeparableConv.Tests.Imaging;
using static SeparableConv.Tests.Networks.Formats.SafetensorsBytes;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>What is written is read again, to the last bit; its bytes are those of the reference implementation.</summary>
public sealed class SafetensorsFileTests
{
    // Numbers of every type, among them the ends of their ranges.
    private static Dictionary<string, TensorData> EveryType() => new()
    {
        ["f32"] = TensorData.Create([float.NaN, -0f, float.Epsilon, float.MaxValue, float.NegativeInfinity, 1.5f], 3, 2),
        ["f64"] = TensorData.Create([double.NaN, -0d, double.MaxValue], 3),
        ["f16"] = TensorData.Create([Half.NaN, (Half)0.1f, Half.MaxValue], 1, 3),
        ["i8"] = TensorData.Create<sbyte>([-128, 0, 127], 3),
        ["u8"] = TensorData.Create<byte>([0, 255], 2),
        ["i16"] = TensorData.Create<short>([short.MinValue, short.MaxValue], 2),
        ["u16"] = TensorData.Create<ushort>([0, ushort.MaxValue], 2),
        ["i32"] = TensorData.Create([int.MinValue, int.MaxValue], 2),
        ["u32"] = TensorData.Create<uint>([0, uint.MaxValue], 2),
        ["i64"] = TensorData.Create([long.MinValue, long.MaxValue], 2),
        ["u64"] = TensorData.Create<ulong>([0, ulong.MaxValue], 2),
        ["bool"] = TensorData.Create([true, false, true], 3),
        ["scalar"] = TensorData.Create([42.5f]),
        ["empty"] = TensorData.Create(Array.Empty<float>(), 3, 0, 2),
        ["empty bytes"] = TensorData.Create(Array.Empty<byte>(), 0),
        ["ones"] = TensorData.Create([7L], 1, 1, 1, 1, 1, 1, 1, 1, 1),
    };

    [Fact]
    public void Tensors_of_every_type_come_back_to_the_last_bit()
    {
        var tensors = EveryType();
        Assert.Equal(Enum.GetValues<ElementType>(), tensors.Values.Select(tensor => tensor.Type.Element).Distinct().Order());
        using var folder = new TempFolder();
        var metadata = new Dictionary<string, string> { ["format"] = "pt", ["note"] = "ü\n\"\\\u0001" };
        SafetensorsFile.Save(folder["all.safetensors"], tensors, metadata);
        Assert.Equal(["all.safetensors"], folder.Names);
        var bytes = File.ReadAllBytes(folder["all.safetensors"]);
        foreach (var file in new[]
        {
            SafetensorsFile.Load(folder["all.safetensors"]), SafetensorsFile.Read(new MemoryStream(bytes)),
            SafetensorsFile.Read(new Pipe(bytes)),
        })
        {
            Check(tensors, file);
            Assert.Equal(metadata, file.Metadata);
        }
    }

    [Fact]
    public void A_stream_is_read_from_where_it_stands()
    {
        var tensors = EveryType();
        var stream = new MemoryStream([1, 2, 3, .. Of(tensors)]) { Position = 3 };
        Check(tensors, SafetensorsFile.Read(stream));
        Assert.Equal(stream.Length, stream.Position);
    }

    [Fact]
    public void The_same_content_is_the_same_bits()
    {
        var (tensors, metadata) = (EveryType(), new Dictionary<string, string> { ["b"] = "1", ["a"] = "2" });
        var turned = new Dictionary<string, TensorData>(tensors.Reverse());
        Assert.Equal(Of(tensors, metadata), Of(turned, new() { ["a"] = "2", ["b"] = "1" }));

        // And those that come from a file are that file again.
        var file = SafetensorsFile.Read(new MemoryStream(Of(tensors, metadata)));
        Assert.Equal(Of(tensors, metadata), Of(new(file.Tensors), new(file.Metadata)));
    }

    [Fact]
    public void Tensors_are_in_the_order_of_the_reference_implementation()
    {
        var file = SafetensorsFile.Read(new MemoryStream(Of(EveryType())));
        Assert.Equal(
            ["u64", "i64", "ones", "f64", "empty", "f32", "scalar", "u32", "i32", "f16", "u16", "i16", "i8", "empty bytes", "u8", "bool"],
            file.Tensors.Keys);

        // By code points, which UTF-16 has in another order.
        var (late, early) = ("\U0001F600", "\uFFFD");
        var one = TensorData.Create([1f], 1);
        Assert.Equal(
            ["B", "a", early, late],
            SafetensorsFile.Read(new MemoryStream(Of(new() { [late] = one, ["a"] = one, [early] = one, ["B"] = one }))).Tensors.Keys);
    }

    // The bytes that the reference implementation's own tests expect of it.
    [Fact]
    public void Bytes_are_those_of_the_reference_implementation()
    {
        var six = TensorData.Create([0f, 1, 2, 3, 4, 5], 1, 2, 3);
        Assert.Equal(
            Made(64, """{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}""", six.Bytes.ToArray()),
            Of(new() { ["attn.0"] = six }));
        Assert.Equal(
            Made(
                72, """{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}""" + "       ", six.Bytes.ToArray()),
            Of(new() { ["attn0"] = TensorData.Create([0f, 1, 2, 3, 4, 5], 1, 1, 2, 3) }));
        Assert.Equal(Made(8, "{}      "), Of([]));
        Assert.Equal(
            Made(40, """{"__metadata__":{"framework":"pt"}}""" + "     "), Of([], new() { ["framework"] = "pt" }));
    }

    [Fact]
    public void A_file_made_by_hand_is_read()
    {
        // Neither in the order of the names nor in that of the data, with spaces, and the fields in another order.
        byte[] data = [0, 0x3C, 0, 0xC0, 1, 0, 0, 0, 2, 0, 0, 0];
        var file = SafetensorsFile.Read(new MemoryStream(Made(
            """
            { "TENSOR_NAME" : {"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},
              "__metadata__": {"made": "by hand"},
              "z\u0061": {"data_offsets":[12,12], "shape": [2,0], "dtype":"F64"},
              "NEXT_TENSOR_NAME": {"shape": [2], "data_offsets":[4, 12], "dtype":"I32"} }
            """ + "   \n",
            data)));
        Assert.Equal(["TENSOR_NAME", "NEXT_TENSOR_NAME", "za"], file.Tensors.Keys);
        Assert.Equal([(Half)1, (Half)(-2)], file.Tensors["TENSOR_NAME"].Span<Half>().ToArray());
        Assert.Equal([1, 2], file.Tensors["NEXT_TENSOR_NAME"].Span<int>().ToArray());
        Assert.Equal("float64 (2,0)", file.Tensors["za"].ToString());
        Assert.Equal("by hand", file.Metadata["made"]);
    }

    [Fact]
    public void Brain_floats_become_floats_with_the_same_numbers()
    {
        // More than are widened at once.
        var halves = new ushort[100_003];
        for (var i = 0; i < halves.Length; i++)
            halves[i] = (ushort)i;
        halves[0] = 0x7F81;
        var bytes = Made(
            "{" + Entry("w", "BF16", "100003", "0,200006") + "," + Entry("x", "U8", "1", "200006,200007") + "}",
            [.. MemoryMarshal.AsBytes(halves.AsSpan()), 9]);
        foreach (var stream in new Stream[] { new MemoryStream(bytes), new Pipe(bytes) })
        {
            var file = SafetensorsFile.Read(stream);
            var numbers = file.Tensors["w"].Span<float>();
            for (var i = 0; i < halves.Length; i++)
                Assert.Equal((uint)halves[i] << 16, BitConverter.SingleToUInt32Bits(numbers[i]));
            Assert.Equal(9, file.Tensors["x"].Span<byte>()[0]);
        }
    }

    [Fact]
    public void Any_byte_but_zero_is_true()
    {
        var file = SafetensorsFile.Read(new MemoryStream(Made("{" + Entry("b", "BOOL", "3", "0,3") + "}", 0, 2, 255)));
        Assert.Equal([0, 1, 1], file.Tensors["b"].Bytes.ToArray());
    }

    [Fact]
    public void Reading_takes_the_memory_of_the_numbers_once()
    {
        const int Megabytes = 64;
        using var folder = new TempFolder();
        SafetensorsFile.Save(folder["large"], new Dictionary<string, TensorData>
        {
            ["a"] = TensorData.Create(new float[Megabytes << 17], Megabytes << 17),
            ["b"] = TensorData.Create(new byte[Megabytes << 19], 1 << 19, Megabytes),
        });
        var before = GC.GetAllocatedBytesForCurrentThread();
        var file = SafetensorsFile.Load(folder["large"]);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var numbers = file.Tensors.Values.Sum(tensor => tensor.Type.Bytes);
        Assert.Equal(Megabytes << 20, numbers);
        Assert.InRange(allocated, numbers, numbers + (1 << 20));
    }

    [Fact]
    public void What_cannot_be_read_again_is_not_written()
    {
        var one = TensorData.Create([1f], 1);
        foreach (var (tensors, metadata, says) in new (Dictionary<string, TensorData>, Dictionary<string, string>?, string)[]
        {
            (new() { ["__metadata__"] = one }, null, "__metadata__"),
            (new() { ["half \uD83D"] = one }, null, "surrogate"),
            (new() { ["a"] = one }, new() { ["a"] = "\uDE00" }, "surrogate"),
            (new() { [new string('n', 100_000_000)] = one }, null, "write several files"),
        })
        {
            var stream = new MemoryStream();
            var e = Assert.Throws<ArgumentException>(() => SafetensorsFile.Write(stream, tensors, metadata));
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
            Assert.Equal(0, stream.Length);
        }
    }

    [Fact]
    public void Numbers_are_read_as_what_they_are()
    {
        var ints = TensorData.Create([1, 2, 3, 4, 5, 6], 2, 3);
        Assert.Equal([2, 3], ints.Read<int>().Lengths.ToArray());
        Assert.Equal(6, ints.Read<int>()[1, 2]);
        Assert.Throws<InvalidOperationException>(() => ints.Read<float>().Rank);
        Assert.Throws<InvalidOperationException>(() => ints.Read<uint>().Rank);
        Assert.Throws<ArgumentException>(() => TensorData.Create([1, 2, 3], 2));
    }

    private static void Check(Dictionary<string, TensorData> expected, SafetensorsFile file)
    {
        Assert.Equal(expected.Keys.Order(), file.Tensors.Keys.Order());
        foreach (var (name, tensor) in expected)
        {
            Assert.Equal(tensor.Type, file.Tensors[name].Type);
            Assert.True(tensor.Bytes.SequenceEqual(file.Tensors[name].Bytes), name);
        }
    }
}
