using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>Floats outside the managed heap, aligned to a cache line: the packed weights of a layer.</summary>
internal sealed unsafe class PackedBuffer : IDisposable
{
    private const nuint Alignment = 64;

    [ThreadStatic]
    private static List<PackedBuffer>? t_collected;

    private nint _memory;

    /// <summary>Allocates <paramref name="length"/> floats, all zero.</summary>
    public PackedBuffer(nint length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var bytes = checked((nuint)length * sizeof(float));
        var memory = NativeMemory.AlignedAlloc(Math.Max(bytes, Alignment), Alignment);
        NativeMemory.Clear(memory, bytes);
        _memory = (nint)memory;
        t_collected?.Add(this);
    }

    ~PackedBuffer() => Free();

    public nint Length { get; }

    /// <summary>The first float. Whoever uses it keeps this object alive (<see cref="GC.KeepAlive"/>) and not disposed.</summary>
    public float* Pointer => (float*)_memory;

    public Span<float> Span => new(Pointer, checked((int)Length));

    /// <summary>
    /// Every buffer that the calling thread makes while <paramref name="make"/> runs: whoever made the layers can count what they hold, and
    /// free it at once.
    /// </summary>
    public static List<PackedBuffer> MadeBy(Action make)
    {
        var (outer, collected) = (t_collected, new List<PackedBuffer>());
        t_collected = collected;
        try
        {
            make();
        }
        catch
        {
            foreach (var buffer in collected)
                buffer.Dispose();
            throw;
        }
        finally
        {
            t_collected = outer;
        }

        outer?.AddRange(collected);
        return collected;
    }

    /// <summary>Frees every buffer that the calling thread makes while <paramref name="run"/> runs, when it has run.</summary>
    public static void FreeMadeBy(Action run)
    {
        foreach (var buffer in MadeBy(run))
            buffer.Dispose();
    }

    /// <summary>Frees the memory now; nobody may use it any more.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free() => NativeMemory.AlignedFree((void*)Interlocked.Exchange(ref _memory, 0));
}
