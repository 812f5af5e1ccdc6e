using System.Runtime.InteropServices;

namespace SeparableConv.Loops;

/// <summary>
/// A number known to the JIT: a size passed as a type argument unrolls its loops, drops its guards and keeps its accumulators in registers.
/// </summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

/// <summary>The numbers in use.</summary>
/// <remarks>
/// Each type is as many bytes large as its number, and loops ask for sizeof in place of Value. sizeof is known to the JIT before it reads
/// the branches that depend on it, a property only after it has read and inlined them all: for the tallest bodies that is most of the time
/// a first run takes.
/// </remarks>
internal static class Constant
{
    [StructLayout(LayoutKind.Sequential, Size = 1)]
    public readonly struct Is1 : IConstant
    {
        public static int Value => 1;
    }

    [StructLayout(LayoutKind.Sequential, Size = 2)]
    public readonly struct Is2 : IConstant
    {
        public static int Value => 2;
    }

    [StructLayout(LayoutKind.Sequential, Size = 3)]
    public readonly struct Is3 : IConstant
    {
        public static int Value => 3;
    }

    [StructLayout(LayoutKind.Sequential, Size = 4)]
    public readonly struct Is4 : IConstant
    {
        public static int Value => 4;
    }

    [StructLayout(LayoutKind.Sequential, Size = 5)]
    public readonly struct Is5 : IConstant
    {
        public static int Value => 5;
    }

    [StructLayout(LayoutKind.Sequential, Size = 6)]
    public readonly struct Is6 : IConstant
    {
        public static int Value => 6;
    }

    [StructLayout(LayoutKind.Sequential, Size = 7)]
    public readonly struct Is7 : IConstant
    {
        public static int Value => 7;
    }

    [StructLayout(LayoutKind.Sequential, Size = 8)]
    public readonly struct Is8 : IConstant
    {
        public static int Value => 8;
    }

    [StructLayout(LayoutKind.Sequential, Size = 9)]
    public readonly struct Is9 : IConstant
    {
        public static int Value => 9;
    }

    [StructLayout(LayoutKind.Sequential, Size = 10)]
    public readonly struct Is10 : IConstant
    {
        public static int Value => 10;
    }

    [StructLayout(LayoutKind.Sequential, Size = 11)]
    public readonly struct Is11 : IConstant
    {
        public static int Value => 11;
    }

    [StructLayout(LayoutKind.Sequential, Size = 12)]
    public readonly struct Is12 : IConstant
    {
        public static int Value => 12;
    }

    [StructLayout(LayoutKind.Sequential, Size = 13)]
    public readonly struct Is13 : IConstant
    {
        public static int Value => 13;
    }

    [StructLayout(LayoutKind.Sequential, Size = 14)]
    public readonly struct Is14 : IConstant
    {
        public static int Value => 14;
    }
}
