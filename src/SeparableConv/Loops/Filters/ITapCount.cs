namespace SeparableConv.Loops;

/// <summary>A number of taps that the JIT knows, so that a loop over taps becomes straight code.</summary>
internal interface ITapCount
{
    static abstract int Count { get; }

    /// <summary>Whether the middle tap is zero, as in every derivative kernel; it is then neither read nor multiplied.</summary>
    static abstract bool Hollow { get; }
}

internal readonly struct Taps2 : ITapCount
{
    public static int Count => 2;

    public static bool Hollow => false;
}

internal readonly struct Taps3 : ITapCount
{
    public static int Count => 3;

    public static bool Hollow => false;
}

internal readonly struct Taps3Hollow : ITapCount
{
    public static int Count => 3;

    public static bool Hollow => true;
}

internal readonly struct Taps4 : ITapCount
{
    public static int Count => 4;

    public static bool Hollow => false;
}

internal readonly struct Taps5 : ITapCount
{
    public static int Count => 5;

    public static bool Hollow => false;
}

internal readonly struct Taps5Hollow : ITapCount
{
    public static int Count => 5;

    public static bool Hollow => true;
}

internal readonly struct Taps6 : ITapCount
{
    public static int Count => 6;

    public static bool Hollow => false;
}

internal readonly struct Taps7 : ITapCount
{
    public static int Count => 7;

    public static bool Hollow => false;
}

internal readonly struct Taps7Hollow : ITapCount
{
    public static int Count => 7;

    public static bool Hollow => true;
}
