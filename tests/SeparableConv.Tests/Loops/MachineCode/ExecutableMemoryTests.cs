using System.Runtime.InteropServices;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.MachineCode;

public sealed unsafe class ExecutableMemoryTests
{
    [Fact]
    public void Code_can_be_called_where_the_system_allows_it()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && System.Runtime.Intrinsics.X86.X86Base.X64.IsSupported,
            "The bytes are x86-64 instructions of Linux's calling convention.");

        // lea rax, [rdi + rdi*4]; ret
        var code = ExecutableMemory.TryCreate([0x48, 0x8D, 0x04, 0xBF, 0xC3], out var refusal);
        Assert.SkipWhen(code == null, refusal ?? "");
        Assert.Null(refusal);
        Assert.Equal(210, ((delegate* unmanaged[Cdecl]<long, long>)code)(42));
    }

    [Fact]
    public void Memory_that_cannot_be_had_is_null_and_says_why()
    {
        Assert.True(ExecutableMemory.TryCreate([], out var refusal) == null);
        Assert.Contains(OperatingSystem.IsLinux() ? "mmap failed with error 22 (" : "on Linux only", refusal);
    }

    [Fact]
    public void Memory_that_may_not_be_executed_is_null_and_says_why()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Memory is made executable on Linux only.");
        Assert.True(ExecutableMemory.TryCreate([0xC3], out var refusal, Refuse) == null);
        Assert.Contains("mprotect failed with error 13 (", refusal);
    }

    /// <summary>What a hardened system does: mprotect gives -1, and errno says EACCES.</summary>
    internal static int Refuse(nint address, nuint length, int protection)
    {
        Marshal.SetLastPInvokeError(13);
        return -1;
    }
}
