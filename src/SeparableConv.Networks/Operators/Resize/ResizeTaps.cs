namespace SeparableConv.Networks.Operators;

/// <summary>For each output pixel of an axis, a run of input pixels and their weights.</summary>
internal sealed class ResizeTaps(int outputs)
{
    private readonly List<float> _weights = [];

    /// <summary>The first input pixel of each output pixel.</summary>
    public int[] First { get; } = new int[outputs];

    /// <summary>Where the weights of each output pixel begin; those of the last end at the last of these.</summary>
    public int[] Begin { get; } = new int[outputs + 1];

    /// <summary>All the weights; read once all are set.</summary>
    public float[] Weights() => [.. _weights];

    /// <summary>Sets an output pixel's; they are set in order.</summary>
    public void Set(int output, int first, List<double> weights)
    {
        First[output] = first;
        foreach (var weight in weights)
            _weights.Add((float)weight);
        Begin[output + 1] = _weights.Count;
    }
}
