using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv;

/// <summary>What int8 and uint8 layers multiply bytes with, from the slowest to the fastest. All of them give the same bytes.</summary>
public enum Int8Path
{
    /// <summary>One product at a time.</summary>
    Scalar,

    /// <summary>Two products of 16-bit numbers in each 32 bits of the widest vectors: SSE2, AVX2 and AVX-512BW, or NEON.</summary>
    ShortPairs,

    /// <summary>Four products of bytes in each 32 bits of vectors of 256 bits or less: AVX-VNNI, through .NET.</summary>
    AvxVnni,

    /// <summary>
    /// Four products of bytes in each 32 bits of vectors of 512 bits: AVX512-VNNI, by instructions that the library writes at run time.
    /// </summary>
    Avx512Vnni,
}

/// <summary>What this machine is, and what the library uses of it. Nothing here changes while a process runs.</summary>
public static class MachineInfo
{
    /// <summary>The processor's own name, such as "AMD EPYC 9R45"; the kind of processor (Arm64) where it tells none.</summary>
    public static string ProcessorName { get; } = ReadProcessorName();

    /// <summary>Logical processors that this process may use.</summary>
    public static int LogicalProcessors => Environment.ProcessorCount;

    /// <summary>
    /// The threads that convolutions, filters and networks use where none are asked for: one a logical processor, 1024 at most.
    /// </summary>
    public static int DefaultThreads => WorkerPool.DefaultThreads;

    /// <summary>The width of the vectors that loops are run with, in bits: 512, 256 or 128; 32, a single float, without vectors.</summary>
    public static int VectorBits => 32 * (int)SimdWidths.Best;

    /// <summary>What layers of bytes are multiplied with. A layer of fewer than 16 filters takes narrower vectors.</summary>
    public static Int8Path Int8Path => ByteInstructions.Machine.Choose(SimdWidths.Best) switch
    {
        (LaneKind.ByteQuad, SimdWidth.V512) => Int8Path.Avx512Vnni,
        (LaneKind.ByteQuad, _) => Int8Path.AvxVnni,
        (_, SimdWidth.Scalar) => Int8Path.Scalar,
        _ => Int8Path.ShortPairs,
    };

    /// <summary>The width of the vectors of <see cref="Int8Path"/>, in bits; 32 without vectors.</summary>
    public static int Int8VectorBits => 32 * (int)ByteInstructions.Machine.Choose(SimdWidths.Best).Width;

    /// <summary>Why <see cref="Int8Path"/> is not a faster one, as a sentence or two; null where there is no faster one.</summary>
    public static string? Int8Obstacle => Int8Path switch
    {
        Int8Path.Avx512Vnni => null,
        Int8Path.AvxVnni => ByteQuadCode.Shared.Missing ?? Narrowed,
        Int8Path.Scalar => ".NET uses no vectors on this processor.",
        _ when X86Base.IsSupported => (ByteQuadCode.Shared.Missing ?? Narrowed) + " .NET finds no AVX-VNNI either.",
        _ => "The library has nothing faster for this kind of processor.",
    };

    // Machine code is there, but the runtime was told to prefer narrower vectors than it is for.
    private static string Narrowed => $"The runtime prefers vectors of {VectorBits} bits here.";

    // Leaves 0x80000002 to 0x80000004 hold 48 characters, filled up with zeros and spaces.
    private static string ReadProcessorName()
    {
        const int first = unchecked((int)0x80000002);
        var kind = RuntimeInformation.ProcessArchitecture.ToString();
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x80000004)
            return kind;
        Span<int> registers = stackalloc int[12];
        for (var leaf = 0; leaf < 3; leaf++)
        {
            var four = registers.Slice(4 * leaf, 4);
            (four[0], four[1], four[2], four[3]) = X86Base.CpuId(first + leaf, 0);
        }

        var characters = System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes(registers)).Split('\0')[0];
        var name = string.Join(' ', characters.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return name.Length > 0 ? name : kind;
    }
}
