namespace SeparableConv.Networks.Separating;

/// <summary>All forms that a layer can be taken apart into. Decompositions are made when they are first asked for.</summary>
internal sealed class LayerSplits
{
    // Steps from one number of kernels, or of channels between two convolutions, to the next that is looked at.
    private const int MostSteps = 48;
    private const int WholeVector = 8;

    // What is left of the cost at most: a layer that keeps more stays whole.
    private const double MostCost = 0.85;

    // Products of features with each other grow with the square of their number.
    private const int MostFeatures = 1024;

    // Features of the pointwise form are of one filter each, those of the spatial and depthwise form read whole patches, and none is
    // shared between forms. Where a method is not asked for by name, layers with larger patches do without the two.
    private const int LargestMixedPatch = 1200;
    private const int MixedSteps = 4;

    private static readonly (int Vertical, int Horizontal)[] Mixed = [(1, 1), (2, 1), (1, 2), (2, 2)];

    private readonly StandardLayer _layer;
    private readonly int _threads;
    private PatchMoments? _moments;
    private readonly Lazy<DepthwiseSplit> _depthwise;
    private readonly Lazy<SpatialSplit> _spatial;
    private readonly Lazy<SpatialSplit> _wholeSpatial;
    private readonly Lazy<PointwiseSplit> _pointwise;

    public LayerSplits(StandardLayer layer, int threads)
    {
        (_layer, _threads) = (layer, threads);
        _depthwise = new(() => new(layer.Kernel, layer.Channels, layer.Filters, layer.Groups, layer.Weights, _moments, threads));
        _spatial = new(() => new(layer, MostRank, _moments, threads));
        _wholeSpatial = new(() => new(layer, int.MaxValue, _moments, threads));
        _pointwise = new(() => new(layer, threads));
    }

    public StandardLayer Layer => _layer;

    /// <summary>The convolutions of a form, with the weights that the decompositions give.</summary>
    public StageChain Build(LayerForm form) => new(
        form.Method switch
        {
            SeparationMethod.DepthwisePointwise when form.IsUniform =>
                _depthwise.Value.KeepEach(form.Rank / _layer.Channels, _layer.Options with { Groups = 1 }),
            SeparationMethod.DepthwisePointwise => _depthwise.Value.Keep(form.Rank, _layer.Options with { Groups = 1 }),
            SeparationMethod.PointwiseDepthwise => _pointwise.Value.Keep(form.Rank),
            SeparationMethod.Spatial => SpatialStages(form.Rank),
            SeparationMethod.SpatialDepthwise => KeepBoth(form),
            _ => throw new ArgumentOutOfRangeException(nameof(form), form.Method, "A form has one method."),
        },
        _layer.Bias);

    /// <summary>The sizes of a form's convolutions; they have no weights.</summary>
    public StageChain Outline(LayerForm form)
    {
        var (options, kernel, filters, groups) = (_layer.Options, _layer.Kernel, _layer.Filters, _layer.Groups);
        var (vertical, horizontal) = (SpatialSplit.Along(options, isVertical: true), SpatialSplit.Along(options, isVertical: false));
        var between = form.Rank * groups;
        ConvStage[] stages = form.Method switch
        {
            SeparationMethod.DepthwisePointwise =>
            [
                ConvStage.Mapped(kernel, new int[form.Rank], options with { Groups = 1 }, []),
                ConvStage.Pointwise(form.Rank / groups, filters, groups, []),
            ],
            SeparationMethod.PointwiseDepthwise =>
            [
                ConvStage.Pointwise(_layer.GroupChannels, filters * form.Rank, groups, []),
                ConvStage.Standard(kernel, form.Rank, filters, options with { Groups = filters }, []),
            ],
            SeparationMethod.Spatial =>
            [
                ConvStage.Standard((kernel.Height, 1), _layer.GroupChannels, between, vertical, []),
                ConvStage.Standard((1, kernel.Width), form.Rank, filters, horizontal, []),
            ],
            _ =>
            [
                ConvStage.Depthwise((kernel.Height, 1), _layer.Channels, form.Vertical, vertical with { Groups = 1 }, []),
                ConvStage.Pointwise(_layer.GroupChannels * form.Vertical, between, groups, []),
                ConvStage.Depthwise((1, kernel.Width), between, form.Horizontal, horizontal with { Groups = 1 }, []),
                ConvStage.Pointwise(form.Rank * form.Horizontal, filters, groups, []),
            ],
        };
        return new(stages, _layer.Bias);
    }

    /// <summary>The singular values of what depthwise kernels are made from, the largest first; of a dense layer, its own.</summary>
    public IReadOnlyList<double> SingularValues() => _layer.IsDense ? _spatial.Value.SingularValues() : _depthwise.Value.SingularValues();

    /// <summary>The form that is the layer itself, in other words.</summary>
    public LayerForm Full(SeparationMethod method) => method switch
    {
        SeparationMethod.DepthwisePointwise when _layer.Groups == 1 => new(method, _depthwise.Value.FullRank),
        SeparationMethod.DepthwisePointwise =>
            new(method, _depthwise.Value.FullMultiplier * _layer.Channels, IsUniform: true),
        SeparationMethod.PointwiseDepthwise => new(method, _pointwise.Value.FullRank),
        SeparationMethod.Spatial => new(method, _wholeSpatial.Value.FullRank),
        _ => new(method, _wholeSpatial.Value.FullRank, _layer.Kernel.Height, _layer.Kernel.Width),
    };

    /// <summary>
    /// The families of a method's forms that cost less than the layer does. Decompositions are those of the first call that needs them.
    /// </summary>
    /// <param name="method">The method; Auto for all.</param>
    /// <param name="isUniform">Whether every channel gets as many depthwise kernels.</param>
    /// <param name="moments">What is known of the layer's patches, which weighs the decompositions; null for nothing.</param>
    public FormFamily[] Families(SeparationMethod method, bool isUniform, PatchMoments? moments = null)
    {
        _moments = moments;
        bool Wants(SeparationMethod one) => !_layer.IsDense && (method == one || method == SeparationMethod.Auto);
        bool WantsSlow(SeparationMethod one) => Wants(one) && (method == one || _layer.PatchLength <= LargestMixedPatch);
        var all = new List<FormFamily?>();
        if (_layer.IsDense)
            all.Add(Spatial());
        if (Wants(SeparationMethod.DepthwisePointwise))
            all.Add(isUniform || _layer.Groups > 1 ? UniformDepthwise() : Depthwise());
        if (WantsSlow(SeparationMethod.PointwiseDepthwise))
            all.Add(Pointwise(method == SeparationMethod.Auto ? 1 : int.MaxValue));
        if (_layer.Kernel.Height > 1 && _layer.Kernel.Width > 1)
        {
            if (Wants(SeparationMethod.Spatial))
                all.Add(Spatial());
            if (WantsSlow(SeparationMethod.SpatialDepthwise))
                all.AddRange(SpatialAndDepthwise());
        }

        // They are large, and needed no more.
        _moments = null;
        return [.. all.OfType<FormFamily>()];
    }

    private FormFamily? Depthwise()
    {
        var split = _depthwise.Value;
        var largest = Math.Min(split.FullRank, MostFeatures);
        var step = Math.Max(WholeVector, (largest / MostSteps) + (WholeVector - 1) & ~(WholeVector - 1));
        var forms = Steps(largest, step).Select(count => new LayerForm(SeparationMethod.DepthwisePointwise, count)).ToArray();
        return Family(forms, form => form.Rank, kept =>
            [new(0, [.. split.Largest(kept).Select(term => DepthwiseFeature(term.Channel, term.Kernel))], 0, _layer.Filters)]);
    }

    private FormFamily? UniformDepthwise()
    {
        var split = _depthwise.Value;
        var forms = Enumerable.Range(1, split.FullMultiplier)
            .Select(multiplier => new LayerForm(SeparationMethod.DepthwisePointwise, multiplier * _layer.Channels, IsUniform: true))
            .ToArray();
        return Family(forms, form => form.Rank / _layer.Groups, kept => GroupBlocks(group =>
        [
            .. Enumerable.Range(0, kept).Select(e =>
            {
                var (term, c) = Math.DivRem(e, _layer.GroupChannels);
                return DepthwiseFeature(c, split.Kernel((group * _layer.GroupChannels) + c, term));
            }),
        ]));
    }

    // Behind several channels a filter is a convolution of many groups, which takes longer here and elsewhere than the layer as it was.
    private FormFamily? Pointwise(int most)
    {
        var split = _pointwise.Value;
        var forms = Enumerable.Range(1, Math.Min(most, split.FullRank))
            .Select(rank => new LayerForm(SeparationMethod.PointwiseDepthwise, rank))
            .ToArray();
        return Family(forms, form => form.Rank * _layer.Taps, kept =>
        [
            .. Enumerable.Range(0, _layer.Filters).Select(o => new FeatureBlock(
                o / _layer.GroupFilters,
                [
                    .. Enumerable.Range(0, kept).Select(f => new Feature(
                        Range(f % _layer.Taps * _layer.GroupChannels, _layer.GroupChannels), split.Mixture(o, f / _layer.Taps))),
                ],
                o,
                1)),
        ]);
    }

    private FormFamily? Spatial()
    {
        var split = _spatial.Value;
        var (kH, kW) = (_layer.Kernel.Height, _layer.Kernel.Width);
        var forms = Ranks(MostSteps).Select(rank => new LayerForm(SeparationMethod.Spatial, rank)).ToArray();
        return Family(forms, form => form.Rank * kW, kept => GroupBlocks(group =>
        [
            .. Enumerable.Range(0, kept).Select(f => new Feature(
                [.. Enumerable.Range(0, kH).SelectMany(i => Range(((i * kW) + (f % kW)) * _layer.GroupChannels, _layer.GroupChannels))],
                split.Vertical(group, f / kW))),
        ]));
    }

    private IEnumerable<FormFamily> SpatialAndDepthwise()
    {
        foreach (var rank in Ranks(MixedSteps))
        {
            foreach (var (vertical, horizontal) in Mixed)
            {
                // More channels than what the first step gives would be sums of each other.
                if (vertical > _layer.Kernel.Height || horizontal > _layer.Kernel.Width || rank > _layer.GroupChannels * vertical)
                    continue;
                var form = new LayerForm(SeparationMethod.SpatialDepthwise, rank, vertical, horizontal);
                if (Family([form], one => one.Rank * horizontal, _ => MixedBlocks(form), areOrthonormal: false) is { } family)
                    yield return family;
            }
        }
    }

    // What the last depthwise step gives, as a function of the patch: its taps over what the two steps before it give.
    private FeatureBlock[] MixedBlocks(LayerForm form)
    {
        var stages = KeepBoth(form);
        var (kH, kW, between) = (_layer.Kernel.Height, _layer.Kernel.Width, form.Rank * _layer.Groups);
        return GroupBlocks(group =>
        {
            var vertical = new float[form.Rank][];
            for (var r = 0; r < form.Rank; r++)
            {
                vertical[r] = new float[kH * _layer.GroupChannels];
                for (var c = 0; c < _layer.GroupChannels; c++)
                {
                    for (var t = 0; t < form.Vertical; t++)
                    {
                        var expanded = (((group * _layer.GroupChannels) + c) * form.Vertical) + t;
                        var factor = stages[1].Weights[(((c * form.Vertical) + t) * between) + (group * form.Rank) + r];
                        for (var i = 0; i < kH; i++)
                        {
                            vertical[r][(i * _layer.GroupChannels) + c] +=
                                factor * stages[0].Weights[(i * _layer.Channels * form.Vertical) + expanded];
                        }
                    }
                }
            }

            return
            [
                .. Enumerable.Range(0, form.Rank * form.Horizontal).Select(f =>
                {
                    var (r, t) = Math.DivRem(f, form.Horizontal);
                    var values = new float[_layer.PatchLength];
                    for (var d = 0; d < values.Length; d++)
                    {
                        var (tap, c) = Math.DivRem(d, _layer.GroupChannels);
                        var (i, j) = Math.DivRem(tap, kW);
                        values[d] = vertical[r][(i * _layer.GroupChannels) + c]
                            * stages[2].Weights[(((j * between) + (group * form.Rank) + r) * form.Horizontal) + t];
                    }

                    return new Feature(Range(0, values.Length), values);
                }),
            ];
        });
    }

    // Ranks that are looked at are had much sooner than all.
    private ConvStage[] SpatialStages(int rank) => (rank <= MostRank ? _spatial : _wholeSpatial).Value.Keep(rank);

    private ConvStage[] KeepBoth(LayerForm form)
    {
        var stages = SpatialStages(form.Rank);
        var between = form.Rank * _layer.Groups;
        var (kernel, channels, filters, groups) = (_layer.Kernel, _layer.Channels, _layer.Filters, _layer.Groups);
        var vertical = new DepthwiseSplit((kernel.Height, 1), channels, between, groups, stages[0].Weights, null, _threads);
        var horizontal = new DepthwiseSplit((1, kernel.Width), between, filters, groups, stages[1].Weights, null, _threads);
        return
        [
            .. vertical.KeepEach(form.Vertical, stages[0].Operator.Options with { Groups = 1 }),
            .. horizontal.KeepEach(form.Horizontal, stages[1].Operator.Options with { Groups = 1 }),
        ];
    }

    private Feature DepthwiseFeature(int channel, float[] kernel) =>
        new([.. Enumerable.Range(0, _layer.Taps).Select(tap => (tap * _layer.GroupChannels) + channel)], kernel);

    private FeatureBlock[] GroupBlocks(Func<int, Feature[]> features) =>
    [
        .. Enumerable.Range(0, _layer.Groups)
            .Select(group => new FeatureBlock(group, features(group), group * _layer.GroupFilters, _layer.GroupFilters)),
    ];

    // Forms that cost less than the layer, and what they keep; null where there is none.
    private FormFamily? Family(LayerForm[] forms, Func<LayerForm, int> kept, Func<int, FeatureBlock[]> blocks, bool areOrthonormal = true)
    {
        forms = [.. forms.Where(form => kept(form) <= MostFeatures && Macs(form) <= MostCost * _layer.Macs)];
        return forms.Length == 0
            ? null
            : new(forms, Array.ConvertAll(forms, form => kept(form)), blocks(forms.Max(kept)), areOrthonormal);
    }

    private long Macs(LayerForm form) => Outline(form).Macs(_layer.Input);

    private int MostRank => MostFeatures / _layer.Kernel.Width;

    private IEnumerable<int> Ranks(int steps)
    {
        var largest = Math.Min(_spatial.Value.FullRank, MostRank);
        return Steps(largest, Math.Max(largest < 4 * WholeVector ? 1 : WholeVector / 2, largest / steps));
    }

    private static IEnumerable<int> Steps(int largest, int step)
    {
        for (var count = step; count < largest; count += step)
            yield return count;
        yield return largest;
    }

    private static int[] Range(int first, int count) => [.. Enumerable.Range(first, count)];
}
