using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Inference;

/// <summary>Zeroed memory outside the managed heap, aligned to a cache line.</summary>
internal sealed unsafe class NativeBlock : SafeHandle
{
    /// <exception cref="NetworkException">The memory is not there.</exception>
    public NativeBlock(long bytes)
        : base(0, ownsHandle: true)
    {
        Bytes = bytes;
        try
        {
            SetHandle((nint)NativeMemory.AlignedAlloc(checked((nuint)Math.Max(bytes, 1)), ArenaLayout.Alignment));
        }
        catch (OutOfMemoryException e)
        {
            throw new NetworkException(
                $"A network needs {bytes} bytes and the system does not have them; use a smaller batch or image.", e);
        }

        NativeMemory.Clear((void*)handle, (nuint)bytes);
        GC.AddMemoryPressure(Math.Max(bytes, 1));
    }

    public long Bytes { get; }

    /// <summary>The first byte; whoever uses it keeps this object alive.</summary>
    public byte* Pointer => (byte*)handle;

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        GC.RemoveMemoryPressure(Math.Max(Bytes, 1));
        return true;
    }
}
