using SeparableConv.Separation;

namespace SeparableConv.Networks.Separating;

/// <summary>
/// A convolution as depthwise kernels and a pointwise convolution: for each channel c the singular value decomposition of its weights,
/// (taps, filters), W_c = sum over t of s_ct * v_ct * u_ct'. v_ct is a depthwise kernel, s_ct*u_ct a row of the pointwise weights.
/// </summary>
/// <remarks>
/// Every kernel costs the same, so the best choice of a number of them keeps the largest s_ct of all channels, and the error is the root of
/// the sum of the squares of the others (Eckart and Young, 1936).
/// </remarks>
internal sealed class DepthwiseSplit
{
    private readonly Size2D _kernel;
    private readonly int _channels;
    private readonly int _groups;
    private readonly int _filters;
    private readonly GramDecomposition.Term[][] _terms;
    private readonly (int Channel, int Term)[] _order;

    /// <param name="kernel">Height and width.</param>
    /// <param name="channels">Channels of all groups.</param>
    /// <param name="filters">Filters of all groups.</param>
    /// <param name="groups">Groups.</param>
    /// <param name="weights">(kH, kW, C/groups, O).</param>
    /// <param name="moments">What is known of the patches; null for nothing.</param>
    /// <param name="threads">Threads to use.</param>
    public DepthwiseSplit(Size2D kernel, int channels, int filters, int groups, float[] weights, PatchMoments? moments, int threads)
    {
        (_kernel, _channels, _filters, _groups) = (kernel, channels, filters, groups);
        _terms = new GramDecomposition.Term[channels][];
        var (groupChannels, groupFilters) = (channels / groups, filters / groups);
        Parallel.For(0, channels, new ParallelOptions { MaxDegreeOfParallelism = threads }, channel =>
        {
            var (group, c) = Math.DivRem(channel, groupChannels);
            var matrix = new float[Taps * groupFilters];
            for (var tap = 0; tap < Taps; tap++)
            {
                weights.AsSpan((((tap * groupChannels) + c) * filters) + (group * groupFilters), groupFilters)
                    .CopyTo(matrix.AsSpan(tap * groupFilters));
            }

            var seen = moments?.Among(group, [.. Enumerable.Range(0, Taps).Select(tap => (tap * groupChannels) + c)]);
            _terms[channel] = WeightedTerms.Of(matrix, Taps, groupFilters, seen, Taps, threads: 1);
        });
        _order =
        [
            .. Enumerable.Range(0, channels)
                .SelectMany(c => Enumerable.Range(0, _terms[c].Length).Select(t => (Channel: c, Term: t)))
                .OrderByDescending(term => _terms[term.Channel][term.Term].Value),
        ];
    }

    /// <summary>Terms of all channels: so many make the split exact.</summary>
    public int FullRank => _order.Length;

    /// <summary>Terms of the channel that has most: as many a channel make the split exact.</summary>
    public int FullMultiplier => Math.Max(1, _terms.Max(terms => terms.Length));

    /// <summary>Those of all channels, the largest first.</summary>
    public double[] SingularValues() =>
        Array.ConvertAll(_order, term => _terms[term.Channel][term.Term].Value);

    private int Taps => _kernel.Height * _kernel.Width;

    /// <summary>The largest terms of all channels, the largest first.</summary>
    public IEnumerable<(int Channel, float[] Kernel)> Largest(int count) => _order.Take(count).Select(term => (
        term.Channel, Array.ConvertAll(_terms[term.Channel][term.Term].Left, value => (float)value)));

    /// <summary>The kernel of a term, (taps); zeros where the channel has fewer terms.</summary>
    public float[] Kernel(int channel, int term) => term < _terms[channel].Length
        ? Array.ConvertAll(_terms[channel][term].Left, value => (float)value)
        : new float[Taps];

    /// <summary>Both convolutions with the largest terms of all channels; for one group.</summary>
    public ConvStage[] Keep(int count, ConvOptions options)
    {
        // In the order of the channels: a loop over them then reads its input from left to right.
        var kept = _order.Take(count).Order().ToArray();
        var depthwise = new float[Taps * kept.Length];
        var pointwise = new float[kept.Length * _filters];
        for (var e = 0; e < kept.Length; e++)
        {
            var (channel, term) = kept[e];
            Place(channel, term, depthwise.AsSpan(e), kept.Length, pointwise.AsSpan(e * _filters), 0);
        }

        // As many kernels a channel everywhere need no map.
        var multiplier = kept.Length / _channels;
        var isUniform = kept.Length % _channels == 0 && kept.Select((term, e) => term.Channel == e / multiplier).All(same => same);
        return
        [
            isUniform
                ? ConvStage.Depthwise(_kernel, _channels, multiplier, options, depthwise)
                : ConvStage.Mapped(_kernel, Array.ConvertAll(kept, term => term.Channel), options, depthwise),
            ConvStage.Pointwise(kept.Length, _filters, 1, pointwise),
        ];
    }

    /// <summary>Both convolutions with as many terms for every channel, whatever the groups.</summary>
    public ConvStage[] KeepEach(int multiplier, ConvOptions options)
    {
        var expanded = _channels * multiplier;
        var groupFilters = _filters / _groups;
        var depthwise = new float[Taps * expanded];
        var pointwise = new float[expanded / _groups * _filters];
        for (var channel = 0; channel < _channels; channel++)
        {
            var (group, c) = Math.DivRem(channel, _channels / _groups);
            for (var term = 0; term < Math.Min(multiplier, _terms[channel].Length); term++)
            {
                var row = pointwise.AsSpan(((c * multiplier) + term) * _filters);
                Place(channel, term, depthwise.AsSpan((channel * multiplier) + term), expanded, row, group * groupFilters);
            }
        }

        return
        [
            ConvStage.Depthwise(_kernel, _channels, multiplier, options, depthwise),
            ConvStage.Pointwise(expanded / _groups, _filters, _groups, pointwise),
        ];
    }

    private void Place(int channel, int term, Span<float> kernel, int tapStride, Span<float> row, int firstFilter)
    {
        var (value, left, right) = _terms[channel][term];
        for (var tap = 0; tap < left.Length; tap++)
            kernel[tap * tapStride] = (float)left[tap];
        for (var o = 0; o < right.Length; o++)
            row[firstFilter + o] = (float)(value * right[o]);
    }
}
