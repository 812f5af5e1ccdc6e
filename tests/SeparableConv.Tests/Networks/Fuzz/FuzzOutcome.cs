namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>How far a model came.</summary>
internal enum FuzzOutcome
{
    /// <summary>It was refused when it was read.</summary>
    Refused,

    /// <summary>It was read, but not compiled: it asks for too much to be run, or was refused then.</summary>
    Read,

    /// <summary>It was run.</summary>
    Run,
}
