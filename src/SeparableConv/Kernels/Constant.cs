namespace SeparableConv.Kernels;

/// <summary>A number known to the JIT: a size passed as a type argument unrolls its loops, drops its guards and keeps its accumulators in registers.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

/// <summary>The numbers in use.</summary>
internal static class Constant
{
    public readonly struct Is0 : IConstant
    {
        public static int Value => 0;
    }

    public readonly struct Is1 : IConstant
    {
        public static int Value => 1;
    }

    public readonly struct Is2 : IConstant
    {
        public static int Value => 2;
    }

    public readonly struct Is3 : IConstant
    {
        public static int Value => 3;
    }

    public readonly struct Is4 : IConstant
    {
        public static int Value => 4;
    }

    public readonly struct Is5 : IConstant
    {
        public static int Value => 5;
    }

    public readonly struct Is6 : IConstant
    {
        public static int Value => 6;
    }

    public readonly struct Is7 : IConstant
    {
        public static int Value => 7;
    }

    public readonly struct Is8 : IConstant
    {
        public static int Value => 8;
    }

    public readonly struct Is9 : IConstant
    {
        public static int Value => 9;
    }

    public readonly struct Is10 : IConstant
    {
        public static int Value => 10;
    }

    public readonly struct Is11 : IConstant
    {
        public static int Value => 11;
    }

    public readonly struct Is12 : IConstant
    {
        public static int Value => 12;
    }

    public readonly struct Is13 : IConstant
    {
        public static int Value => 13;
    }

    public readonly struct Is14 : IConstant
    {
        public static int Value => 14;
    }
}
