namespace SeparableConv.Tests.Support.Fuzz;

/// <summary>How far a file came.</summary>
internal enum FuzzOutcome
{
    /// <summary>It was refused when it was read.</summary>
    Refused,

    /// <summary>It was read.</summary>
    Read,

    /// <summary>A model was read and run; others ask for too much to be run, or were refused then.</summary>
    Run,
}
