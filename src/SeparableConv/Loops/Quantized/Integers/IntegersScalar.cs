using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>One lane: what runs where there are no vectors, and the width that every other one is tested against.</summary>
internal readonly unsafe struct IntegersScalar : IIntegerSimd<int>
{
    public static int Count => 1;

    public static int TileRows => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Broadcast(int value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Load(int* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(int value, int* target) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(int a, int b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAddPairs(int a, int b, int c) => c + ((short)a * (short)b) + ((a >> 16) * (b >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MultiplyAddPairs(int a, int b, int e, ref int c, ref int d) =>
        (c, d) = (MultiplyAddPairs(a, b, c), MultiplyAddPairs(a, e, d));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MultiplyAddQuads(int a, int b, int c) =>
        c + ((byte)a * (sbyte)b) + ((byte)(a >> 8) * (sbyte)(b >> 8))
        + ((byte)(a >> 16) * (sbyte)(b >> 16)) + ((byte)(a >> 24) * (sbyte)(b >> 24));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LoadShorts(byte* source, bool signed) =>
        signed ? Join((sbyte)source[0], (sbyte)source[1]) : Join(source[0], source[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int BroadcastShort(int value) => Join(value, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int AddShorts(int a, int b) => Pack((short)a + (short)b, (a >> 16) + (b >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int SubtractShorts(int a, int b) => Join(a - b, (a >> 16) - (b >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ClampShorts(int value, int lower, int upper) =>
        Join(Math.Clamp((short)value, (short)lower, (short)upper), Math.Clamp(value >> 16, lower >> 16, upper >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int JoinLow(int a, int b) => Join(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int JoinHigh(int a, int b) => Join(a >> 16, b >> 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Pack(int low, int high) =>
        Join(Math.Clamp(low, short.MinValue, short.MaxValue), Math.Clamp(high, short.MinValue, short.MaxValue));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Order(int packed) => packed;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreBytes(int shorts, byte* target) => (target[0], target[1]) = ((byte)shorts, (byte)(shorts >> 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreHalfBytes(int shorts, byte* target) => *target = (byte)shorts;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int HighMultiply(int a, int b) => (int)((((long)a * b) + (1L << 31)) >> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftRight(int value, int counts) => value >> counts;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int DecrementBelow(int value, int limit) => value < limit ? value - 1 : value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int PackBytes(int low, int high) =>
        Byte((short)low) | (Byte(low >> 16) << 8) | (Byte((short)high) << 16) | (Byte(high >> 16) << 24);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OrderBytes(int packed) => packed;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ClampBytes(int value, int lower, int upper)
    {
        var clamped = 0;
        for (var shift = 0; shift < 32; shift += 8)
            clamped |= Math.Clamp((byte)(value >> shift), (byte)(lower >> shift), (byte)(upper >> shift)) << shift;
        return clamped;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Xor(int a, int b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale(int value, int scale) => (int)MathF.Round(value * BitConverter.Int32BitsToSingle(scale));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale(int value, int scale, int lower, int upper)
    {
        var scaled = value * BitConverter.Int32BitsToSingle(scale);
        return (int)MathF.Round(Math.Clamp(scaled, BitConverter.Int32BitsToSingle(lower), BitConverter.Int32BitsToSingle(upper)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Byte(int value) => Math.Clamp(value, 0, 255);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Join(int low, int high) => (low & 0xFFFF) | (high << 16);
}
