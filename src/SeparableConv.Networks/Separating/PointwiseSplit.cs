namespace SeparableConv.Networks.Separating;

/// <summary>
/// A convolution as a pointwise one to T channels a filter, and kernels for these: for each filter the singular value decomposition of its
/// weights, (C, taps). The border of zeros stays right because the pointwise step has no bias.
/// </summary>
internal sealed class PointwiseSplit
{
    private readonly StandardLayer _layer;
    private readonly MatrixDecomposition[] _decompositions;

    public PointwiseSplit(StandardLayer layer, int threads)
    {
        _layer = layer;
        _decompositions = new MatrixDecomposition[layer.Filters];
        Parallel.For(0, layer.Filters, new ParallelOptions { MaxDegreeOfParallelism = threads }, filter =>
        {
            var matrix = new float[layer.GroupChannels * layer.Taps];
            for (var c = 0; c < layer.GroupChannels; c++)
            {
                for (var tap = 0; tap < layer.Taps; tap++)
                    matrix[(c * layer.Taps) + tap] = layer.Weight(tap, c, filter);
            }

            _decompositions[filter] = KernelSeparation.DecomposeMatrix(matrix, layer.GroupChannels, layer.Taps);
        });
    }

    /// <summary>So many channels a filter make the split exact.</summary>
    public int FullRank => Math.Max(1, _decompositions.Max(decomposition => decomposition.Rank));

    /// <summary>What a term of a filter takes from the channels of its group; zeros where it has fewer terms.</summary>
    public float[] Mixture(int filter, int term) => term < _decompositions[filter].Rank
        ? Array.ConvertAll(_decompositions[filter].Left(term).ToArray(), value => (float)value)
        : new float[_layer.GroupChannels];

    /// <summary>Both convolutions.</summary>
    public ConvStage[] Keep(int rank)
    {
        var between = _layer.Filters * rank;
        var pointwise = new float[_layer.GroupChannels * between];
        var kernels = new float[_layer.Taps * rank * _layer.Filters];
        for (var o = 0; o < _layer.Filters; o++)
        {
            var decomposition = _decompositions[o];
            for (var t = 0; t < Math.Min(rank, decomposition.Rank); t++)
            {
                var root = Math.Sqrt(decomposition.SingularValues[t]);
                var left = decomposition.Left(t);
                var right = decomposition.Right(t);
                for (var c = 0; c < left.Length; c++)
                    pointwise[(c * between) + (o * rank) + t] = (float)(root * left[c]);
                for (var tap = 0; tap < right.Length; tap++)
                    kernels[(((tap * rank) + t) * _layer.Filters) + o] = (float)(root * right[tap]);
            }
        }

        return
        [
            ConvStage.Pointwise(_layer.GroupChannels, between, _layer.Groups, pointwise),
            rank == 1
                ? ConvStage.Depthwise(_layer.Kernel, _layer.Filters, 1, _layer.Options with { Groups = 1 }, kernels)
                : ConvStage.Standard(_layer.Kernel, rank, _layer.Filters, _layer.Options with { Groups = _layer.Filters }, kernels),
        ];
    }
}
