namespace SeparableConv.Networks.Inference;

/// <summary>The three pieces of memory that a network runs in.</summary>
internal enum MemoryRegion
{
    /// <summary>What is given and computed: each session has its own, and a run writes over it.</summary>
    Arena,

    /// <summary>Constants: nobody writes them, and sessions share them.</summary>
    Constants,

    /// <summary>Parameters and statistics that steps read and update: they belong to the one session that trains them.</summary>
    Parameters,
}

/// <summary>Where a tensor lies, before there is any memory.</summary>
/// <param name="Type">The tensor's type; null for none.</param>
/// <param name="Region">The piece of memory.</param>
/// <param name="Offset">Bytes from the begin of it.</param>
internal readonly record struct TensorPlace(TensorType? Type, MemoryRegion Region, long Offset)
{
    /// <summary>The tensor in a session's memory.</summary>
    public unsafe TensorBuffer In(byte* arena, byte* constants, byte* parameters)
    {
        if (Type is null)
            return default;
        var start = Region switch
        {
            MemoryRegion.Arena => arena,
            MemoryRegion.Constants => constants,
            _ => parameters,
        };
        return new(Type, start + Offset);
    }
}

/// <summary>A step, where it finds its tensors and, where it may be left out, its guard: what sessions share.</summary>
internal readonly record struct PreparedStep(Step Step, TensorPlace[] Inputs, TensorPlace[] Outputs, GuardPlace? Guard);

/// <summary>Where the condition of a step lies (<see cref="BranchGuard"/>), and what it must be.</summary>
internal readonly record struct GuardPlace(TensorPlace Condition, bool RunsWhen);

/// <summary>Where a state lies.</summary>
/// <param name="Current">What a run reads.</param>
/// <param name="Next">What it leaves for the next one.</param>
/// <param name="Initial">What the first run reads.</param>
internal readonly record struct StatePlaces(TensorPlace Current, TensorPlace Next, TensorData Initial);
