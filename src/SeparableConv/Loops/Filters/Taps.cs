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

/// <summary>
/// Floats from one tap of a row to the next, known to the JIT: the channels, or twice as many where every other tap is zero.
/// </summary>
internal interface ITapStep
{
    static abstract int Floats { get; }
}

internal readonly struct Step1 : ITapStep
{
    public static int Floats => 1;
}

internal readonly struct Step2 : ITapStep
{
    public static int Floats => 2;
}

internal readonly struct Step3 : ITapStep
{
    public static int Floats => 3;
}

internal readonly struct Step4 : ITapStep
{
    public static int Floats => 4;
}

internal readonly struct Step6 : ITapStep
{
    public static int Floats => 6;
}

internal readonly struct Step8 : ITapStep
{
    public static int Floats => 8;
}
