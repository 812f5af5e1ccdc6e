using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>Memory that instructions can be run from: written once, then made read-only, and kept as long as the process.</summary>
internal static unsafe partial class ExecutableMemory
{
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int ProtectExecute = 4;
    private const int MapPrivate = 0x02;
    private const int MapAnonymous = 0x20;

    /// <summary>A copy of <paramref name="code"/> that can be called, or null where the system does not allow that.</summary>
    public static byte* TryCreate(ReadOnlySpan<byte> code)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            var memory = (byte*)Map(0, (nuint)code.Length, ProtectRead | ProtectWrite, MapPrivate | MapAnonymous, -1, 0);
            if ((nint)memory == -1)
                return null;
            code.CopyTo(new Span<byte>(memory, code.Length));
            if (Protect(memory, (nuint)code.Length, ProtectRead | ProtectExecute) == 0)
                return memory;
            _ = Unmap(memory, (nuint)code.Length);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(byte* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(byte* address, nuint length);
}
