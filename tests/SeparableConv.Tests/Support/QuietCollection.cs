namespace SeparableConv.Tests.Support;

/// <summary>Tests that measure the whole process: they run when all others have ended, one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class QuietCollection
{
    public const string Name = "Quiet";
}
