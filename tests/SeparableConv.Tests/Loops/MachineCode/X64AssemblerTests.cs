using SeparableConv.Loops;
using static SeparableConv.Loops.X64Register;

namespace SeparableConv.Tests.Loops.MachineCode;

/// <summary>Compares the assembler's bytes with those that GNU as makes of the same instructions.</summary>
public sealed class X64AssemblerTests
{
    [Fact]
    public void Integers_are_encoded_as_by_an_assembler() => Check(
        code =>
        {
            code.Push(Rbx);
            code.Pop(Rbx);
            code.Push(R9);
            code.Pop(R11);
            code.Load(Rax, new(Rdi));
            code.Load(R11, new(Rdi, 0x20));
            code.LoadInt32(Rbx, new(Rdi, 0x18));
            code.LoadAddress(R8, new(R8, 0, R8));
            code.LoadAddress(Rdx, new(Rax, 0, R9, 2));
            code.LoadAddress(Rcx, new(Rcx, 0, R8, 4));
            code.LoadAddress(Rax, new(Rcx, 0x12345));
            code.Add(R11, 192);
            code.Subtract(Rcx, 1);
        },
        "53 5b 4151 415b 488b07 4c8b5f20 8b5f18 4f8d0400 4a8d1448 4a8d0c81 488d8145230100 4981c3c0000000 4883e901");

    [Fact]
    public void Vectors_are_encoded_as_by_an_assembler() => Check(
        code =>
        {
            code.LoadVector(17, new(R11, 128));
            code.LoadVector(31, new(Rcx));
            code.StoreVector(9, new(Rcx, 0, R9, 4));
            code.StoreVector(24, new(Rcx, 64));
            code.Copy(27, 2);
            code.Copy(5, 30);
            code.Broadcast(30, new(Rax));
            code.Broadcast(1, new(Rdx, 0, R8, 4));
            code.Broadcast(20, new(Rax, 0, R10));
            code.Broadcast(3, new(Rdx, 8));
            code.LoadVector(2, new(Rax, 100));
            code.LoadVector(2, new(Rax, -64));
            code.MultiplyAddBytes(0, 30, 28);
            code.MultiplyAddBytes(27, 3, 15);
            code.MultiplyAddBytes(8, 16, 7);
            code.Return();
        },
        """
        62c17e486f4b02 62617e486f39 62317e487f0c89 62617e487f4101 62617e486fda 62917e486fee
        62627d485830 62b27d48580c82 62a27d48582410 62f27d48585a02 62f17e486f9064000000
        62f17e486f50ff 62920d4050c4 6242654850df 62727d4050c7 c5f877 c3
        """);

    [Fact]
    public void Bytes_that_are_unpacked_rounded_and_packed_are_encoded_as_by_an_assembler() => Check(
        code =>
        {
            code.Push(R12);
            code.Pop(R14);
            code.Load(R13, new(Rsi, 8));
            code.LoadAddress(Rax, new(Rax, 0, R14));
            code.LoadAddress(Rbx, new(Rbx, 0, R12));
            code.Load(R12, new(R11, 0x40));
            code.Subtract(R13, 1);
            code.UnpackLowBytes(23, 20, 21);
            code.UnpackHighBytes(20, 20, 21);
            code.UnpackLowPairs(24, 23, 21);
            code.UnpackHighPairs(3, 7, 30);
            code.ConvertToFloats(12, 28);
            code.MultiplyFloats(12, 13, 25);
            code.ConvertToIntegers(31, 9);
            code.PackShorts(12, 12, 13);
            code.PackBytes(12, 29, 14);
            code.AddShorts(14, 14, 29);
            code.MaxBytes(12, 12, 30);
            code.MinBytes(12, 12, 31);
            code.Xor(20, 20, new(Rdi, 256));
            code.Xor(12, 30, new(R11));
        },
        """
        4154 415e 4c8b6e08 4a8d0430 4a8d1c23 4d8b6340 4983ed01
        62a15d4060fd 62a15d4068e5 6221454061c5 6291454869de 62117c485be4 6211144859e1 62417d485bf9
        62511d486be5 6251154067e6 62110d48edf5 62111d48dee6 62111d48dae7 62e15d40ef6704 62510d40ef23
        """);

    [Fact]
    public void Jumps_go_back_to_where_they_are_told()
    {
        var code = new X64Assembler();
        code.Align(16);
        Assert.Equal(0, code.Position);
        code.Push(Rbx);
        code.Align(4);
        Assert.Equal(4, code.Position);
        code.JumpBackIfNotZero(1);

        // Six bytes long, and counted from its end.
        Assert.Equal("53909090" + "0f85" + "f7ffffff", Convert.ToHexStringLower(code.Code));
    }

    [Fact]
    public void Jumps_go_forward_to_where_they_land()
    {
        var code = new X64Assembler();
        var jump = code.JumpIfZero();
        code.Push(Rbx);
        code.JumpBack(0);
        code.Land(jump);
        code.Pop(Rbx);

        // Five bytes and six, each counted from its end.
        Assert.Equal("0f84" + "06000000" + "53" + "e9" + "f4ffffff" + "5b", Convert.ToHexStringLower(code.Code));
    }

    private static void Check(Action<X64Assembler> write, string expected)
    {
        var code = new X64Assembler();
        write(code);
        Assert.Equal(
            string.Concat(expected.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), Convert.ToHexStringLower(code.Code));
    }
}
