namespace SeparableConv.Loops;

/// <summary>Floats from one tap of a row to the next, known to the JIT: the channels, or twice as many where every other tap is zero.</summary>
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
