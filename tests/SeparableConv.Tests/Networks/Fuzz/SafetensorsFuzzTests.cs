using SeparableConv.Tests.Imaging;
using SeparableConv.Tests.Networks.Formats;
using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>
/// Damaged safetensors files are refused in one line, or read: nothing crashes, hangs or takes memory out of proportion to the file. How
/// to try more of them, and one of them again, is in docs/fuzzing.md.
/// </summary>
public sealed class SafetensorsFuzzTests
{
    // A pipe, of which the length is not known, is given a first piece before anything has come.
    private const long FreeBytes = 4 << 20;
    private const long BytesPerByte = 64;

    [Fact]
    public void Damaged_safetensors_files_are_refused_or_read()
    {
        var seeds = Seeds();
        Assert.All(seeds, seed => Assert.Equal(FuzzOutcome.Read, Try(seed)));
        new FuzzRun("safetensors").Check(number => Damage(seeds, number), Try);
    }

    private static byte[] Damage(byte[][] seeds, int number)
    {
        var random = new Random(unchecked((FuzzRun.Seed * 1_000_003) + number));
        var (file, other) = (seeds[random.Next(seeds.Length)], seeds[random.Next(seeds.Length)]);
        var damaged = random.Next(8) > 0 ? SafetensorsMutator.Mutate(file, other, random) : file;
        return ReferenceEquals(damaged, file) || random.Next(8) == 0 ? ByteMutator.Mutate(damaged, other, random) : damaged;
    }

    // What is read is read again from a pipe, and written: the bytes of the numbers must be the same.
    private static FuzzOutcome Try(byte[] file)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var (fromMemory, refusal) = Read(new MemoryStream(file));
        var (fromPipe, pipeRefusal) = Read(new Pipe(file));
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (allocated > FreeBytes + (BytesPerByte * file.Length))
            throw new InvalidOperationException($"A file of {file.Length} bytes took {allocated} bytes.");
        if (fromMemory is null != fromPipe is null)
            throw new InvalidOperationException($"A file is read from memory or from a pipe, not from both: {refusal ?? pipeRefusal}");
        if (fromMemory is null)
            return FuzzOutcome.Refused;

        var (once, twice) = (new MemoryStream(), new MemoryStream());
        SafetensorsFile.Write(once, fromMemory.Tensors, fromMemory.Metadata);
        SafetensorsFile.Write(twice, fromPipe!.Tensors, fromPipe.Metadata);
        return once.ToArray().AsSpan().SequenceEqual(twice.ToArray())
            ? FuzzOutcome.Read
            : throw new InvalidOperationException("A file is another from memory than from a pipe.");
    }

    private static (SafetensorsFile? File, string? Refusal) Read(Stream stream)
    {
        try
        {
            return (SafetensorsFile.Read(stream), null);
        }
        catch (NetworkException e)
        {
            if (e.Message.Length is 0 or > 1000 || e.Message.AsSpan().IndexOfAny("\r\n\0\u0085\u2028\u2029") >= 0)
                throw new InvalidOperationException($"It was refused in more than a line: {e.Message}", e);
            return (null, e.Message);
        }
    }

    private static byte[][] Seeds() =>
    [
        SafetensorsBytes.Of([]),
        SafetensorsBytes.Of(new() { ["weight"] = TensorData.Create(RandomData.Floats(24, 1), 2, 3, 4) }),
        SafetensorsBytes.Of(
            new()
            {
                ["conv.weight"] = TensorData.Create(RandomData.Floats(36, 2), 4, 1, 3, 3),
                ["conv.bias"] = TensorData.Create(RandomData.Floats(4, 3), 4),
                ["count"] = TensorData.Create([12345L]),
                ["empty"] = TensorData.Create(Array.Empty<double>(), 0, 7),
                ["truth"] = TensorData.Create([true, false], 2),
                ["small"] = TensorData.Create<sbyte>([1, 2, 3, 4, 5], 5),
                ["half"] = TensorData.Create([(Half)1, (Half)2], 2, 1),
            },
            new() { ["format"] = "pt", ["note"] = "ü \"\\\n" }),
        SafetensorsBytes.Made(
            "{" + SafetensorsBytes.Entry("b", "BF16", "3,2", "4,16") + "," + SafetensorsBytes.Entry("a", "F32", "", "0,4") + "}   ",
            new byte[16]),
    ];
}
