using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Support;

/// <summary>
/// Memory between two pages that may not be touched: an element read or written before its start or past its end
/// ends the process. Linux only; elsewhere the test is skipped.
/// </summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ProtectNone = 0;
    private const int ProtectReadWrite = 3;
    private const int MapPrivateAnonymous = 0x22;

    private readonly byte* _map;
    private readonly nuint _mapBytes;

    /// <summary>Maps <paramref name="bytes"/> bytes, zeroed, that end at the upper guard, or begin at the lower one.</summary>
    public GuardedMemory(nint bytes, bool endsAtGuard)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Guard pages are set with mmap and mprotect, as Linux has them.");
        var page = (nuint)Environment.SystemPageSize;
        var usable = ((nuint)bytes + page - 1) / page * page;
        _mapBytes = usable + (2 * page);
        _map = (byte*)Map(null, _mapBytes, ProtectReadWrite, MapPrivateAnonymous, -1, 0);
        if ((nint)_map == -1)
            throw new InvalidOperationException($"mmap of {_mapBytes} bytes failed with errno {Marshal.GetLastPInvokeError()}.");
        if (Protect(_map, page, ProtectNone) != 0 || Protect(_map + page + usable, page, ProtectNone) != 0)
            throw new InvalidOperationException($"mprotect failed with errno {Marshal.GetLastPInvokeError()}.");
        Start = _map + page + (endsAtGuard ? usable - (nuint)bytes : 0);
        Bytes = bytes;
    }

    /// <summary>The first byte.</summary>
    public byte* Start { get; }

    /// <summary>The number of bytes.</summary>
    public nint Bytes { get; }

    /// <summary>The memory as elements.</summary>
    public Span<T> Span<T>()
        where T : unmanaged => new(Start, checked((int)(Bytes / sizeof(T))));

    public void Dispose() => Unmap(_map, _mapBytes);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint bytes, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint bytes);
}
