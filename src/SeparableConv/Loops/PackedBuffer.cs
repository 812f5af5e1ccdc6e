using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>Floats outside the managed heap, aligned to a cache line: packed weights, made once with their layer.</summary>
internal sealed unsafe class PackedBuffer
{
    private const nuint Alignment = 64;

    [ThreadStatic]
    private static long t_bytesMade;

    private readonly void* _memory;

    /// <summary>Allocates <paramref name="length"/> floats, all zero.</summary>
    public PackedBuffer(nint length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var bytes = checked((nuint)length * sizeof(float));
        _memory = NativeMemory.AlignedAlloc(Math.Max(bytes, Alignment), Alignment);
        NativeMemory.Clear(_memory, bytes);
        t_bytesMade += (long)bytes;
    }

    ~PackedBuffer() => NativeMemory.AlignedFree(_memory);

    /// <summary>
    /// Bytes of such buffers that the calling thread has allocated so far. The difference of two readings is what was packed between them.
    /// </summary>
    public static long BytesMade => t_bytesMade;

    public nint Length { get; }

    /// <summary>The first float. Whoever uses it keeps this object alive (<see cref="GC.KeepAlive"/>).</summary>
    public float* Pointer => (float*)_memory;

    public Span<float> Span => new(_memory, checked((int)Length));
}
