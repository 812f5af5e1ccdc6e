using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>
/// A thread's working memory, aligned to a cache line. It grows to the largest size asked for and is then reused, so
/// that steady work allocates nothing. Three pieces, one owner at a time each: a loop's own, the tile that a driver hands
/// from one loop to the next, and what a driver lets all threads write to. Each takes what it needs in one call and carves it up.
/// </summary>
internal sealed unsafe class Scratch
{
    private const nuint Alignment = 64;

    [ThreadStatic]
    private static Scratch? t_kernel;

    [ThreadStatic]
    private static Scratch? t_tile;

    [ThreadStatic]
    private static Scratch? t_shared;

    private void* _memory;
    private nuint _bytes;

    private Scratch()
    {
    }

    ~Scratch() => NativeMemory.AlignedFree(_memory);

    /// <summary>
    /// At least <paramref name="floats"/> floats of the calling thread's memory for a loop; what is in them is undefined.
    /// </summary>
    public static float* Floats(nint floats) => (float*)(t_kernel ??= new Scratch()).Reserve(checked(floats * sizeof(float)));

    /// <summary>At least <paramref name="bytes"/> bytes of the same memory; what is in them is undefined.</summary>
    public static byte* Bytes(nint bytes) => (byte*)(t_kernel ??= new Scratch()).Reserve(bytes);

    /// <summary>At least <paramref name="floats"/> floats for what passes between two loops; what is in them is undefined.</summary>
    public static float* Tile(nint floats) => (float*)(t_tile ??= new Scratch()).Reserve(checked(floats * sizeof(float)));

    /// <summary>
    /// At least <paramref name="floats"/> floats that other threads may write to as well; what is in them is undefined. Lines that another
    /// core wrote are slow to come back: half of a tile's made MobileNetV2's first block take 224 us in place of 130 (Zen 5).
    /// </summary>
    public static float* Shared(nint floats) => (float*)(t_shared ??= new Scratch()).Reserve(checked(floats * sizeof(float)));

    /// <summary>
    /// Floats from one row of so many floats to the next: a power of two would put the rows of a tile into a few sets of the
    /// first-level cache.
    /// </summary>
    public static nint RowStride(nint floats) => floats % 256 == 0 ? floats + 16 : floats;

    private void* Reserve(nint bytes)
    {
        if (_bytes < (nuint)bytes)
        {
            NativeMemory.AlignedFree(_memory);
            _memory = null;
            _bytes = 0;
            _memory = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            _bytes = (nuint)bytes;
        }

        return _memory;
    }
}
