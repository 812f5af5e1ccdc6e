using SeparableConv.Tests.Imaging;
using static SeparableConv.Tests.Networks.Formats.SafetensorsBytes;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Files that are not what they say are refused in one line, before memory is taken that they do not fill.</summary>
public sealed class SafetensorsRefusalTests
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
    private const long MostBytes = 1 << 20;

    public static TheoryData<string, byte[], string> Lies { get; } = new()
    {
        { "nothing", [], "it has 0 bytes" },
        { "no length", [1, 2, 3], "it has 3 bytes" },
        { "no header", Made(0, ""), "its header is empty" },
        { "length beyond the file", Made(1000, Good, new byte[8]), "" },
        { "length beyond the limit", Made(100_000_001, Good), "a header of 100000001 bytes; expected 100000000 at most" },
        { "largest allowed length", Made(100_000_000, Good), "" },
        { "length of 64 bits", Made(ulong.MaxValue, Good), "18446744073709551615" },
        { "length too short", Made(10, Good, new byte[8]), "no JSON of this format" },
        { "not JSON", Made("hello"), "begins with byte 104; expected '{'" },
        { "byte order mark", Made("\uFEFF{}"), "begins with byte 239" },
        { "space in front", Made(" {}"), "begins with byte 32" },
        { "cut off", Made("""{"a":{"dtype":"F32","sha"""), "no JSON of this format" },
        { "text behind", Made("{} x"), "no JSON of this format at byte 3 of line 1" },
        { "list", Made("[]"), "begins with byte 91" },
        { "comma at the end", Made("""{"__metadata__":{},}"""), "no JSON of this format" },
        { "comment", Made("{/* */}"), "no JSON of this format" },
        { "deep nesting", Made("""{"a":""" + new string('[', 100_000)), "'a' has a list; expected an object" },
        { "deep objects", Made(string.Concat(Enumerable.Repeat("""{"a":""", 10_000))), "a field 'a'" },
        { "deep shape", Tensor("F32", "[[[1]]]", "0,4"), "no JSON of this format" },
        { "no UTF-8", [.. Made(8, "{\""), 0xFF, 0xFE, .. "\":1}"u8], "no UTF-8" },
        { "half a surrogate pair", Made("""{"\uD800":{}}"""), "no UTF-8" },
        { "number for a tensor", Made("""{"a":12}"""), "'a' has 12; expected an object" },
        { "null for a tensor", Made("""{"a":null}"""), "'a' has null" },
        { "name twice", Made("{" + Entry("a", "U8", "1", "0,1") + "," + Entry("a", "U8", "1", "1,2") + "}", 1, 2), "'a' twice" },
        {
            "name twice in other letters",
            Made("{" + Entry("a", "U8", "1", "0,1") + "," + Entry("\\u0061", "U8", "1", "1,2") + "}", 1, 2), "'a' twice"
        },
        { "field twice", Made("""{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}""", 1), "field 'shape'" },
        { "unknown field", Made("""{"a":{"dtype":"U8","shape":[1],"strides":[1],"data_offsets":[0,1]}}""", 1), "field 'strides'" },
        { "no dtype", Made("""{"a":{"shape":[1],"data_offsets":[0,1]}}""", 1), "has no dtype" },
        { "no shape", Made("""{"a":{"dtype":"U8","data_offsets":[0,1]}}""", 1), "has no shape" },
        { "no offsets", Made("""{"a":{"dtype":"U8","shape":[1]}}""", 1), "has no data_offsets" },
        { "one offset", Tensor("U8", "1", "1"), "has 1 data_offsets" },
        { "three offsets", Tensor("U8", "1", "0,1,2"), "has 3 data_offsets" },
        { "many offsets", Tensor("U8", "1", string.Join(',', Enumerable.Repeat(0, 5000))), "more than 64 numbers" },
        { "offsets are text", Tensor("U8", "1", "\"0\",\"1\""), "a string in its data_offsets" },
        { "unknown dtype", Tensor("F33", "1", "0,4"), "elements of 'F33', which is not supported; save it as one of U64, I64" },
        { "float8", Tensor("F8_E4M3", "1", "0,1"), "elements of 'F8_E4M3'" },
        { "dtype in small letters", Tensor("f32", "1", "0,4"), "elements of 'f32'" },
        { "dtype is a number", Made("""{"a":{"dtype":1,"shape":[1],"data_offsets":[0,1]}}""", 1), "expected a string for dtype" },
        { "negative length", Tensor("U8", "-1", "0,1"), "-1 in its shape" },
        { "fraction", Tensor("U8", "1.0", "0,1"), "1.0 in its shape" },
        { "power of ten", Tensor("U8", "1e0", "0,1"), "1e0 in its shape" },
        { "negative offset", Tensor("U8", "1", "-1,0"), "-1 in its data_offsets" },
        { "offset of 64 bits", Tensor("U8", "1", "0,18446744073709551615"), "18446744073709551615 in its data_offsets" },
        { "offset of a thousand digits", Tensor("U8", "1", "0," + new string('9', 1000)), "in its data_offsets" },
        { "length of 32 bits", Tensor("U8", "2147483648", "0,2147483648"), "length 2147483648 in dimension 0" },
        { "shape beyond 64 bits", Tensor("U8", "2147483647,2147483647,2147483647", "0,1"), "more than" },
        { "empty shape beyond 64 bits", Tensor("U8", "0,2147483647,2147483647,2147483647", "0,0"), "more than" },
        { "shape beyond one tensor", Tensor("F32", "65536,65536", "0,17179869184"), "save it in parts" },
        { "brain floats beyond one tensor", Tensor("BF16", "1000000000", "0,2000000000"), "save it in parts" },
        { "many dimensions", Tensor("U8", string.Join(',', Enumerable.Repeat(1, 65)), "0,1"), "more than 64 numbers" },
        { "too few bytes for the shape", Tensor("F32", "3", "0,8", new byte[8]), "data_offsets 0 and 8, but float32 (3) takes 12 bytes" },
        { "too many bytes for the shape", Tensor("F32", "1", "0,8", new byte[8]), "float32 (1) takes 4 bytes" },
        { "too many for a brain float", Tensor("BF16", "2", "0,8", new byte[8]), "float32 (2) from BF16 takes 4 bytes" },
        { "empty with bytes", Tensor("F32", "0", "0,8", new byte[8]), "float32 (0) takes 0 bytes" },
        { "end before begin", Tensor("U8", "1", "1,0", new byte[1]), "data_offsets 1 and 0" },
        { "data beyond the file", Tensor("F32", "2000000", "0,8000000", new byte[8]), "" },
        { "large data beyond the file", Tensor("U8", "2000000000", "0,2000000000", new byte[8]), "" },
        { "bytes behind the data", Tensor("F32", "2", "0,8", new byte[9]), "follow" },
        { "hole in front", Tensor("U8", "1", "1,2", new byte[2]), "begins at byte 1 of the data, the one before it ends at 0" },
        { "hole between", Pair("0,4", "5,9", 9), "begins at byte 5 of the data, the one before it ends at 4" },
        { "overlap", Pair("0,4", "3,7", 7), "begins at byte 3 of the data, the one before it ends at 4" },
        { "the same bytes twice", Pair("0,4", "0,4", 4), "begins at byte 0 of the data, the one before it ends at 4" },
        { "metadata is text", Made("""{"__metadata__":"x"}"""), "'__metadata__' has a string; expected an object of strings" },
        { "metadata of numbers", Made("""{"__metadata__":{"a":1}}"""), "expected a string for 'a'" },
        { "metadata twice", Made("""{"__metadata__":{},"__metadata__":{}}"""), "'__metadata__' twice" },
        { "metadata key twice", Made("""{"__metadata__":{"a":"1","a":"1"}}"""), "key 'a' twice" },
        { "control characters", Made("""{"a\n\u0000\u2028b":[]}"""), "'a???b' has a list" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_file_that_lies_is_refused_in_one_line(string what, byte[] file, string says)
    {
        foreach (var stream in new Stream[] { new MemoryStream(file), new Pipe(file) })
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var e = Assert.Throws<NetworkException>(() => SafetensorsFile.Read(stream));
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
            Assert.True(e.Message.AsSpan().IndexOfAny("\r\n\0\u0085\u2028\u2029") < 0 && e.Message.Length < 400, $"{what}: {e.Message}");

            // A pipe does not tell its length: a first piece is taken before it is known that nothing comes.
            Assert.True(allocated < (stream is Pipe ? 3 : 1) * MostBytes, $"{what}: {allocated} bytes");
        }
    }

    [Fact]
    public void The_file_is_named()
    {
        using var folder = new TempFolder();
        File.WriteAllBytes(folder["lies.safetensors"], Made(1000, Good, new byte[8]));
        var e = Assert.Throws<NetworkException>(() => SafetensorsFile.Load(folder["lies.safetensors"]));
        Assert.Equal(
            "'lies.safetensors' is no safetensors file, or is damaged: its first bytes speak of a header of 1000 bytes, but 62 follow. "
            + "Write or copy it again.",
            e.Message);
        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Load(folder["none.safetensors"]));
    }

    [Fact]
    public void Any_file_that_is_cut_off_is_refused()
    {
        var file = Made("{" + Entry("a", "F32", "2", "0,8") + "," + Entry("b", "BF16", "3", "8,14") + "}", new byte[14]);
        Assert.Equal(2, SafetensorsFile.Read(new MemoryStream(file)).Tensors.Count);
        for (var length = 0; length < file.Length; length++)
        {
            Assert.Throws<NetworkException>(() => SafetensorsFile.Read(new MemoryStream(file[..length])));
            Assert.Throws<NetworkException>(() => SafetensorsFile.Read(new Pipe(file[..length])));
        }
    }

    private static byte[] Tensor(string dtype, string shape, string offsets, params byte[] data) =>
        Made("{" + Entry("a", dtype, shape, offsets) + "}", data);

    private static byte[] Pair(string first, string second, int bytes) =>
        Made("{" + Entry("b", "F32", "1", second) + "," + Entry("a", "F32", "1", first) + "}", new byte[bytes]);
}
