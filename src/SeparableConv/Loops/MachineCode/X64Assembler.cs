using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>The general registers of x86-64, by their numbers.</summary>
internal enum X64Register
{
    None = -1,
    Rax = 0,
    Rcx = 1,
    Rdx = 2,
    Rbx = 3,
    Rsi = 6,
    Rdi = 7,
    R8 = 8,
    R9 = 9,
    R10 = 10,
    R11 = 11,
    R12 = 12,
    R13 = 13,
    R14 = 14,
}

/// <summary>An address: base + index*scale + displacement.</summary>
/// <param name="Base">The base register.</param>
/// <param name="Displacement">Bytes.</param>
/// <param name="Index">The index register, or none.</param>
/// <param name="Scale">1, 2, 4 or 8.</param>
internal readonly record struct X64Address(X64Register Base, int Displacement = 0, X64Register Index = X64Register.None, int Scale = 1);

/// <summary>
/// Writes the few instructions that loops need and the framework does not offer, as bytes. Vector registers are 0 to 31, of 512 bits.
/// Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, sections 2.1 (REX) and 2.7 (EVEX).
/// </summary>
internal sealed class X64Assembler
{
    // EVEX fields: the map of opcodes and the prefix that an instruction had before.
    private const int Map0F = 1;
    private const int Map0F38 = 2;
    private const int NoPrefix = 0;
    private const int Prefix66 = 1;
    private const int PrefixF3 = 2;

    private readonly List<byte> _code = [];

    /// <summary>Bytes written so far: the position of the next instruction.</summary>
    public int Position => _code.Count;

    public ReadOnlySpan<byte> Code => CollectionsMarshal.AsSpan(_code);

    /// <summary>Fills up to a multiple of <paramref name="bytes"/> with instructions that do nothing.</summary>
    public void Align(int bytes)
    {
        while (Position % bytes != 0)
            _code.Add(0x90);
    }

    public void Push(X64Register register) => Stack(0x50, register);

    public void Pop(X64Register register) => Stack(0x58, register);

    /// <summary>register = 64 bits at the address.</summary>
    public void Load(X64Register register, X64Address source) => Integer(0x8B, register, source);

    /// <summary>register = 32 bits at the address, the upper half zero.</summary>
    public void LoadInt32(X64Register register, X64Address source) => Integer(0x8B, register, source, wide: false);

    /// <summary>register = the address itself.</summary>
    public void LoadAddress(X64Register register, X64Address source) => Integer(0x8D, register, source);

    public void Add(X64Register register, int value) => Immediate(0, register, value);

    public void Subtract(X64Register register, int value) => Immediate(5, register, value);

    /// <summary>Jumps to <paramref name="target"/>, a position before this one, unless the last sum or difference was zero.</summary>
    public void JumpBackIfNotZero(int target)
    {
        _code.Add(0x0F);
        _code.Add(0x85);
        Int32(target - (Position + sizeof(int)));
    }

    /// <summary>Jumps to a position before this one.</summary>
    public void JumpBack(int target)
    {
        _code.Add(0xE9);
        Int32(target - (Position + sizeof(int)));
    }

    /// <summary>Jumps, if the last sum or difference was zero, to where <see cref="Land"/> is called with what this returns.</summary>
    public int JumpIfZero()
    {
        _code.Add(0x0F);
        _code.Add(0x84);
        Int32(0);
        return Position;
    }

    /// <summary>The next instruction is where a jump goes.</summary>
    public void Land(int jump) => BinaryPrimitives.WriteInt32LittleEndian(
        CollectionsMarshal.AsSpan(_code).Slice(jump - sizeof(int), sizeof(int)), Position - jump);

    /// <summary>Returns, with the upper halves of the vector registers cleared for code that uses narrow ones.</summary>
    public void Return()
    {
        _code.AddRange([0xC5, 0xF8, 0x77]);
        _code.Add(0xC3);
    }

    /// <summary>vector = 16 numbers of 32 bits.</summary>
    public void LoadVector(int vector, X64Address source) => Evex(Map0F, PrefixF3, 0x6F, vector, 0, source, 64);

    public void StoreVector(int vector, X64Address target) => Evex(Map0F, PrefixF3, 0x7F, vector, 0, target, 64);

    public void Copy(int vector, int from) => Evex(Map0F, PrefixF3, 0x6F, vector, 0, from);

    /// <summary>The 32 bits at the address in all 16 lanes.</summary>
    public void Broadcast(int vector, X64Address source) => Evex(Map0F38, Prefix66, 0x58, vector, 0, source, 4);

    /// <summary>
    /// sum += the four products of unsigned and signed bytes in every lane, none of them saturating: VPDPBUSD of AVX512-VNNI.
    /// </summary>
    public void MultiplyAddBytes(int sum, int unsigned, int signed) => Evex(Map0F38, Prefix66, 0x50, sum, unsigned, signed);

    /// <summary>Of every 128 bits the first eight bytes of both, by turns.</summary>
    public void UnpackLowBytes(int vector, int a, int b) => Evex(Map0F, Prefix66, 0x60, vector, a, b);

    public void UnpackHighBytes(int vector, int a, int b) => Evex(Map0F, Prefix66, 0x68, vector, a, b);

    /// <summary>Of every 128 bits the first four pairs of bytes of both, by turns.</summary>
    public void UnpackLowPairs(int vector, int a, int b) => Evex(Map0F, Prefix66, 0x61, vector, a, b);

    public void UnpackHighPairs(int vector, int a, int b) => Evex(Map0F, Prefix66, 0x69, vector, a, b);

    public void ConvertToFloats(int vector, int integers) => Evex(Map0F, NoPrefix, 0x5B, vector, 0, integers);

    /// <summary>To the nearest integers, half to even.</summary>
    public void ConvertToIntegers(int vector, int floats) => Evex(Map0F, Prefix66, 0x5B, vector, 0, floats);

    public void MultiplyFloats(int vector, int a, int b) => Evex(Map0F, NoPrefix, 0x59, vector, a, b);

    /// <summary>Of every 128 bits the integers of both as 16-bit numbers, saturating.</summary>
    public void PackShorts(int vector, int a, int b) => Evex(Map0F, Prefix66, 0x6B, vector, a, b);

    /// <summary>Of every 128 bits the 16-bit numbers of both as unsigned bytes, saturating.</summary>
    public void PackBytes(int vector, int a, int b) => Evex(Map0F, Prefix66, 0x67, vector, a, b);

    /// <summary>Sums of 16-bit numbers, saturating.</summary>
    public void AddShorts(int vector, int a, int b) => Evex(Map0F, Prefix66, 0xED, vector, a, b);

    /// <summary>The larger of unsigned bytes.</summary>
    public void MaxBytes(int vector, int a, int b) => Evex(Map0F, Prefix66, 0xDE, vector, a, b);

    public void MinBytes(int vector, int a, int b) => Evex(Map0F, Prefix66, 0xDA, vector, a, b);

    public void Xor(int vector, int a, X64Address b) => Evex(Map0F, Prefix66, 0xEF, vector, a, b, 64);

    private void Stack(int opcode, X64Register register)
    {
        if (register >= X64Register.R8)
            _code.Add(0x41);
        _code.Add((byte)(opcode + ((int)register & 7)));
    }

    private void Integer(byte opcode, X64Register register, X64Address address, bool wide = true)
    {
        var index = address.Index == X64Register.None ? 0 : (int)address.Index >> 3;
        var prefix = (wide ? 8 : 0) | ((int)register >> 3 << 2) | (index << 1) | ((int)address.Base >> 3);
        if (prefix != 0)
            _code.Add((byte)(0x40 | prefix));
        _code.Add(opcode);
        Operand((int)register, address, 1);
    }

    private void Immediate(int operation, X64Register register, int value)
    {
        _code.Add((byte)(0x48 | ((int)register >> 3)));
        var isSmall = value is >= sbyte.MinValue and <= sbyte.MaxValue;
        _code.Add((byte)(isSmall ? 0x83 : 0x81));
        _code.Add((byte)(0xC0 | (operation << 3) | ((int)register & 7)));
        if (isSmall)
            _code.Add((byte)value);
        else
            Int32(value);
    }

    private void Evex(int map, int prefix, byte opcode, int vector, int second, X64Address address, int unit)
    {
        var index = address.Index == X64Register.None ? 0 : (int)address.Index >> 3;
        EvexPrefix(map, prefix, vector, second, index, (int)address.Base >> 3);
        _code.Add(opcode);
        Operand(vector, address, unit);
    }

    private void Evex(int map, int prefix, byte opcode, int vector, int second, int third)
    {
        EvexPrefix(map, prefix, vector, second, third >> 4, third >> 3);
        _code.Add(opcode);
        _code.Add((byte)(0xC0 | ((vector & 7) << 3) | (third & 7)));
    }

    // Four bytes; the upper bits of register numbers stand inverted. 512 bits, no mask.
    private void EvexPrefix(int map, int prefix, int vector, int second, int x, int b)
    {
        _code.Add(0x62);
        _code.Add((byte)((Inverted(vector >> 3) << 7) | (Inverted(x) << 6) | (Inverted(b) << 5) | (Inverted(vector >> 4) << 4) | map));
        _code.Add((byte)((~second & 15) << 3 | 4 | prefix));
        _code.Add((byte)(0x40 | (Inverted(second >> 4) << 3)));
    }

    private static int Inverted(int bit) => ~bit & 1;

    // ModRM, SIB and a displacement, which in one byte counts units.
    private void Operand(int register, X64Address address, int unit)
    {
        var isSmall = address.Displacement % unit == 0 && address.Displacement / unit is >= sbyte.MinValue and <= sbyte.MaxValue;
        var mode = address.Displacement == 0 ? 0 : isSmall ? 1 : 2;
        var hasIndex = address.Index != X64Register.None;
        _code.Add((byte)((mode << 6) | ((register & 7) << 3) | (hasIndex ? 4 : (int)address.Base & 7)));
        if (hasIndex)
            _code.Add((byte)((int.Log2(address.Scale) << 6) | (((int)address.Index & 7) << 3) | ((int)address.Base & 7)));
        if (mode == 1)
            _code.Add((byte)(address.Displacement / unit));
        else if (mode == 2)
            Int32(address.Displacement);
    }

    private void Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _code.AddRange(bytes);
    }
}
