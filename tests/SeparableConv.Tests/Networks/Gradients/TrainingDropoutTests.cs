using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Dropout in training: its generator, its share, and its gradient with the same mask.</summary>
public sealed class TrainingDropoutTests
{
    // The known answers of Random123, philox4x32-10.
    [Theory]
    [InlineData(0ul, 0ul, 0ul, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)]
    [InlineData(ulong.MaxValue, ulong.MaxValue, ulong.MaxValue, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)]
    [InlineData(0x299f31d0a4093822ul, 0x85a308d3243f6a88ul, 0x0370734413198a2eul, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)]
    public void Philox_gives_the_known_answers(ulong key, ulong low, ulong high, uint a, uint b, uint c, uint d) =>
        Assert.Equal((a, b, c, d), Philox.Numbers(key, low, high));

    [Theory]
    [InlineData(0f)]
    [InlineData(0.1f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    [InlineData(1f)]
    public void A_share_of_the_elements_is_0_and_the_mean_stays(float rate)
    {
        const int count = 100_000;
        var ones = new float[count];
        Array.Fill(ones, 1f);
        var y = Evaluator.Run(new TrainingDropoutOperator(rate), TensorData.Create(ones, count), Key(3, 4))[0].Span<float>().ToArray();
        var dropped = y.Count(value => value == 0);
        Assert.InRange(dropped, (rate * count) - 700, (rate * count) + 700);
        Assert.All(y, value => Assert.True(value == 0 || Math.Abs(value - (1 / (1 - rate))) < 1e-5));
    }

    [Fact]
    public void The_mask_follows_from_seed_step_layer_and_index_alone()
    {
        var first = Mask(0, Key(3, 4), 50_000);
        Assert.Equal(first, Mask(0, Key(3, 4), 50_000));
        Assert.Equal(first[..777], Mask(0, Key(3, 4), 777));
        Assert.Equal(Mask(0, Key(3, 0), 99), Mask(0, TensorData.Create([3L], 1), 99));

        // Another seed, step or layer is another mask: half of the elements differ.
        foreach (var other in new[] { Mask(0, Key(2, 4), 50_000), Mask(0, Key(3, 5), 50_000), Mask(1, Key(3, 4), 50_000) })
            Assert.InRange(first.Zip(other, (a, b) => a != b ? 1 : 0).Sum(), 24_000, 26_000);

        static bool[] Mask(int layer, TensorData key, int count)
        {
            var ones = new float[count];
            Array.Fill(ones, 1f);
            var y = Evaluator.Run(new TrainingDropoutOperator(0.5f, layer), TensorData.Create(ones, count), key)[0];
            return Array.ConvertAll(y.Span<float>().ToArray(), value => value != 0);
        }
    }

    [Theory]
    [InlineData(0.25f, new int[0])]
    [InlineData(0.25f, new[] { 1 })]
    [InlineData(0.5f, new[] { 2, 3 })]
    [InlineData(0.5f, new[] { 0, 3 })]
    [InlineData(0.8f, new[] { 2, 3, 5, 7 })]
    [InlineData(0.3f, new[] { 3, 90, 101 })]
    public void The_gradient_uses_the_mask_again(float rate, int[] shape)
    {
        var key = Key(11, 12);
        var ones = new float[shape.Aggregate(1, (a, b) => a * b)];
        Array.Fill(ones, 1f);
        var mask = OperatorRun.Doubles(Evaluator.Run(new TrainingDropoutOperator(rate, 5), TensorData.Create(ones, shape), key)[0]);
        GradientCheck.Run(
            new TrainingDropoutOperator(rate, 5),
            [OperatorRun.Floats(1, shape), key],
            x => [[.. x[0].Select((value, i) => value * mask[i])]]);
    }

    [Fact]
    public void What_is_dropped_is_0_even_if_it_was_no_number()
    {
        var x = TensorData.Create([float.NaN, float.PositiveInfinity, 1], 3);
        Assert.Equal([0f, 0, 0], Evaluator.Run(new TrainingDropoutOperator(1), x, Key(1, 2))[0].Span<float>());
    }

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public void A_rate_that_is_no_share_is_refused(float rate) => Assert.Throws<ArgumentException>(() =>
        new TrainingDropoutOperator(rate).Infer([new(ElementType.Float32, new TensorShape(3)), Key(1, 2).Type]));

    [Fact]
    public void A_seed_of_another_type_is_refused() => Assert.Throws<ArgumentException>(() => new TrainingDropoutOperator(0.5f).Infer(
        [new(ElementType.Float32, new TensorShape(3)), new(ElementType.Int32, new TensorShape(2))]));

    private static TensorData Key(long seed, long step) => TensorData.Create([seed, step], 2);
}
