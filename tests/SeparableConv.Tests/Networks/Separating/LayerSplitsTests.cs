using SeparableConv.Networks.Separating;

namespace SeparableConv.Tests.Networks.Separating;

public sealed class LayerSplitsTests
{
    private static readonly SeparationMethod[] Methods =
    [
        SeparationMethod.DepthwisePointwise, SeparationMethod.PointwiseDepthwise, SeparationMethod.Spatial,
        SeparationMethod.SpatialDepthwise,
    ];

    [Theory]
    [MemberData(nameof(SeparatedLayers.Geometries), MemberType = typeof(SeparatedLayers))]
    public void At_full_rank_every_form_is_the_layer(
        int channels, int filters, int groups, Size2D kernel, Size2D stride, Size2D dilation, Padding padding)
    {
        var layer = SeparatedLayers.Create(channels, filters, groups, kernel, stride, dilation, padding);
        CheckFull(layer, new(layer, 1));

        // Decompositions that know the patches are exact too.
        var samples = 3 * layer.PatchLength;
        var patches = Enumerable.Range(0, groups).Select(group => RandomData.Floats(samples * layer.PatchLength, 20 + group)).ToArray();
        var seeing = new LayerSplits(layer, 1);
        seeing.Families(SeparationMethod.Auto, isUniform: false, PatchMoments.Of(layer, patches, samples, threads: 2));
        CheckFull(layer, seeing);
    }

    private static void CheckFull(StandardLayer layer, LayerSplits splits)
    {
        var input = layer.Node.Inputs[0]!.Type.Shape;
        var whole = StageChain.Whole(layer).ToNetwork(input);
        var numbers = SeparatedLayers.Input(whole);
        var expected = SeparatedLayers.Run(whole, numbers);
        foreach (var method in Methods)
        {
            var chain = splits.Build(splits.Full(method));
            var actual = SeparatedLayers.Run(chain.ToNetwork(input), numbers);
            var distance = SeparatedLayers.Distance(expected, actual);
            Assert.True(distance < 1e-5, $"{method}: {distance:E2}");
            Assert.Equal(chain.ToNetwork(input).Macs, chain.Macs(input));
            var outline = splits.Outline(splits.Full(method));
            Assert.Equal((chain.Macs(input), chain.Parameters), (outline.Macs(input), outline.Parameters));
        }
    }

    [Theory]
    [MemberData(nameof(SeparatedLayers.Geometries), MemberType = typeof(SeparatedLayers))]
    public void Without_data_the_error_is_that_of_the_weights(
        int channels, int filters, int groups, Size2D kernel, Size2D stride, Size2D dilation, Padding padding)
    {
        var layer = SeparatedLayers.Create(channels, filters, groups, kernel, stride, dilation, padding);
        var splits = new LayerSplits(layer, 1);
        var moments = PatchMoments.White(layer, threads: 2);
        foreach (var method in Methods)
        {
            foreach (var family in splits.Families(method, isUniform: false).Concat(splits.Families(method, isUniform: true)))
            {
                var errors = moments.Errors(family);
                for (var i = 0; i < family.Forms.Length; i++)
                {
                    var lost = Lost(layer, splits.Build(family.Forms[i]));

                    // The last convolution may be fitted to the rest: where both were taken apart that is less than what the weights lose.
                    if (method == SeparationMethod.SpatialDepthwise)
                        Assert.InRange(errors[i], 0, lost + 1e-5);
                    else
                        Assert.True(Math.Abs(lost - errors[i]) < 1e-5, $"{family.Forms[i]}: {errors[i]}, {lost}");
                }
            }
        }
    }

    [Fact]
    public void Forms_cost_less_than_the_layer_and_more_of_them_lose_less()
    {
        var layer = SeparatedLayers.Create(16, 24, 1, 3, 1, 1, Padding.Same);
        var splits = new LayerSplits(layer, 1);
        var moments = PatchMoments.White(layer, threads: 2);
        var families = splits.Families(SeparationMethod.Auto, isUniform: false).ToArray();
        Assert.True(families.Length > 3);
        foreach (var family in families)
        {
            Assert.All(family.Forms, form => Assert.True(splits.Build(form).Macs(layer.Node.Inputs[0]!.Type.Shape) < layer.Macs));
            var errors = moments.Errors(family);
            for (var i = 1; i < errors.Length; i++)
                Assert.True(errors[i] <= errors[i - 1]);
        }
    }

    [Fact]
    public void Channels_that_need_more_kernels_get_more()
    {
        // One channel has weights of rank 1, the other of full rank and larger.
        var layer = SeparatedLayers.Create(2, 8, 1, 3, 1, 1, Padding.Same);
        for (var tap = 0; tap < 9; tap++)
        {
            for (var o = 0; o < 8; o++)
                layer.Weights[(tap * 16) + o] = (tap + 1) * (o + 1) * 0.01f;
        }

        var splits = new LayerSplits(layer, 1);
        var chain = splits.Build(new(SeparationMethod.DepthwisePointwise, 5));
        Assert.Equal([0, 1, 1, 1, 1], chain.Stages[0].ChannelMap!);
        var uniform = splits.Build(new(SeparationMethod.DepthwisePointwise, 2, IsUniform: true));
        Assert.Equal(2, uniform.Stages[1].Shape[2]);
        Assert.True(Lost(layer, chain) < Lost(layer, splits.Build(new(SeparationMethod.DepthwisePointwise, 4))));
    }

    // The share of the weights' squares that the chain's own weights do not give back, by running it on every patch of one 1.
    private static double Lost(StandardLayer layer, StageChain chain)
    {
        // A layer with the same weights and no border: its patches are whole images.
        var span = (
            (layer.Options.Dilation.Height * (layer.Kernel.Height - 1)) + 1, (layer.Options.Dilation.Width * (layer.Kernel.Width - 1)) + 1);
        var input = new TensorShape(1, span.Item1, span.Item2, layer.Channels);
        var bare = new StageChain([.. chain.Stages.Select(WithoutBorder)], null);
        var whole = new StageChain([WithoutBorder(StageChain.Whole(layer).Last)], null);
        using var first = new InferenceSession(whole.ToNetwork(input));
        using var second = new InferenceSession(bare.ToNetwork(input));
        var (lost, all) = (0.0, 0.0);
        for (var i = 0; i < input.ElementCount; i++)
        {
            var numbers = new float[input.ElementCount];
            numbers[i] = 1;
            var (wanted, has) = (Output(first, numbers), Output(second, numbers));
            for (var o = 0; o < wanted.Length; o++)
            {
                lost += Math.Pow((double)wanted[o] - has[o], 2);
                all += Math.Pow(wanted[o], 2);
            }
        }

        return lost / all;

        static ConvStage WithoutBorder(ConvStage stage) =>
            stage with { Operator = stage.Operator.With(stage.Operator.Options with { Padding = Padding.Valid }) };

        static float[] Output(InferenceSession session, float[] numbers)
        {
            numbers.CopyTo(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.InputBytes(0)));
            session.Run();
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
        }
    }
}
