using SeparableConv.Loops;
using Xunit;

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
        var code = ExecutableMemory.TryCreate([0x48, 0x8D, 0x04, 0xBF, 0xC3]);
        Assert.SkipWhen(code == null, "The system lets no process make memory executable.");
        Assert.Equal(210, ((delegate* unmanaged[Cdecl]<long, long>)code)(42));
    }

    [Fact]
    public void Memory_that_cannot_be_had_is_null() => Assert.True(ExecutableMemory.TryCreate([]) == null);
}
