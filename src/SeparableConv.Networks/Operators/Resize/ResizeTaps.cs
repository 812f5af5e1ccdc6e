namespace SeparableConv.Networks.Operators;

/// <summary>For each output pixel of an axis, a run of input pixels and their weights.</summary>
internal sealed class ResizeTaps(int outputs)
{
    private readonly List<float> _weights = [];

    /// <summary>The first input pixel of each output pixel.</summary>
    public int[] First { get; } = new int[outputs];

    /// <summary>Where the weights of each output pixel begin; those of the last end at the last of these.</summary>
    public int[] Begin { get; } = new int[outputs + 1];

    /// <summary>All weights, after the last pixel was set.</summary>
    public float[] Weights() => [.. _weights];

    /// <summary>The gradient's sums: for each input pixel, the output pixels that it is part of, with the same weights.</summary>
    public AxisTaps Transposed(int inputs)
    {
        var terms = new List<AxisTaps.Term>(_weights.Count);
        for (var i = 0; i < First.Length; i++)
        {
            for (var at = Begin[i]; at < Begin[i + 1]; at++)
                terms.Add(new(First[i] + (at - Begin[i]), i, _weights[at]));
        }

        return new(First.Length, inputs, terms);
    }

    /// <summary>Sets the input pixels and weights of an output pixel, one at least; output pixels are set in order.</summary>
    public void Set(int output, int first, List<double> weights)
    {
        First[output] = first;
        foreach (var weight in weights)
            _weights.Add((float)weight);
        Begin[output + 1] = _weights.Count;
    }
}
