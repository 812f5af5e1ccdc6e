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

    /// <summary>Copies instructions to where they can be called.</summary>
    /// <param name="code">The instructions; they hold no address.</param>
    /// <param name="refusal">Why there is no such copy, as a sentence; null where there is one.</param>
    /// <param name="protect">
    /// Stands for the system's mprotect, of which tests want refusals: address, length and protection to 0 or -1.
    /// </param>
    /// <returns>The first instruction, or null where the system does not allow it.</returns>
    public static byte* TryCreate(ReadOnlySpan<byte> code, out string? refusal, Func<nint, nuint, int, int>? protect = null)
    {
        if (!OperatingSystem.IsLinux())
        {
            refusal = "Instructions are written at run time on Linux only.";
            return null;
        }

        try
        {
            var length = (nuint)code.Length;
            var memory = Map(0, length, ProtectRead | ProtectWrite, MapPrivate | MapAnonymous, -1, 0);
            if (memory == -1)
            {
                refusal = Refusal("mmap");
                return null;
            }

            code.CopyTo(new Span<byte>((void*)memory, code.Length));
            if ((protect ?? Protect)(memory, length, ProtectRead | ProtectExecute) == 0)
            {
                refusal = null;
                return (byte*)memory;
            }

            refusal = Refusal("mprotect");
            _ = Unmap(memory, length);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            refusal = "The system has no mmap and mprotect for memory that instructions run from.";
            return null;
        }
    }

    // Before any other call to the system, which would put its own error in the place of this one.
    private static string Refusal(string call)
    {
        var error = Marshal.GetLastPInvokeError();
        var reason = Marshal.GetPInvokeErrorMessage(error);
        return $"The system refused memory for instructions written at run time: {call} failed with error {error} ({reason}).";
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
