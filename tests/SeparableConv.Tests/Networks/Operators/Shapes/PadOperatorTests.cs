namespace SeparableConv.Tests.Networks.Operators;

public class PadOperatorTests
{
    [Theory]
    [InlineData("Constant", 0)]
    [InlineData("Constant", 4)]
    [InlineData("Reflect", 1)]
    [InlineData("Reflect", 4)]
    [InlineData("Edge", 2)]
    [InlineData("Edge", 4)]
    [InlineData("Wrap", 3)]
    [InlineData("Wrap", 4)]
    [InlineData("Wrap", 6)]
    public void Every_element_comes_from_where_the_mode_says(string name, int rank)
    {
        var random = new Random(rank);
        var mode = Enum.Parse<PadMode>(name);
        foreach (var element in MovedElements.Sizes)
        {
            for (var round = 0; round < 15; round++)
            {
                var x = MovedElements.Random(random, element, Enumerable.Range(0, rank).Select(_ => random.Next(1, 6)).ToArray());
                var (before, after) = (new int[rank], new int[rank]);
                for (var d = 0; d < rank; d++)
                {
                    if (random.Next(2) == 0)
                        continue;
                    before[d] = random.Next(-1, 8);
                    after[d] = random.Next(-1, 8);
                    if (x.Type.Shape[d] <= 2)
                        (before[d], after[d]) = (Math.Abs(before[d]), Math.Abs(after[d]));
                }

                var shape = before.Select((pad, d) => x.Type.Shape[d] + pad + after[d]).ToArray();
                var expected = MovedElements.Expected(x, shape, at =>
                {
                    var index = new int[rank];
                    for (var d = 0; d < rank; d++)
                    {
                        if (Source(mode, at[d], x.Type.Shape[d], before[d], after[d]) is not { } i)
                            return null;
                        index[d] = i;
                    }

                    return index;
                });
                var y = MovedElements.Run(new PadOperator(before, after, mode, 0), x)[0];
                MovedElements.Check(y, shape, expected, $"{x.Type.Shape} by ({string.Join(',', before)}) and ({string.Join(',', after)})");
            }
        }
    }

    [Fact]
    public void Constants_are_numbers_of_the_element_type()
    {
        Assert.Equal([1.5f, 1.5f, 7f], Pad(TensorData.Create([7f], 1), 1.5).Span<float>().ToArray());
        Assert.Equal([1.5, 1.5, 7], Pad(TensorData.Create([7.0], 1), 1.5).Span<double>().ToArray());
        Assert.Equal([(Half)1.5f, (Half)1.5f, (Half)7], Pad(TensorData.Create([(Half)7], 1), 1.5).Span<Half>().ToArray());
        Assert.Equal([-128, -128, 7], Pad(TensorData.Create<sbyte>([7], 1), -300).Span<sbyte>().ToArray());
        Assert.Equal([-3, -3, 7], Pad(TensorData.Create([7L], 1), -3).Span<long>().ToArray());
        Assert.Equal([true, true, false], Pad(TensorData.Create([false], 1), 1).Span<bool>().ToArray());
    }

    [Fact]
    public void Large_images_pad_like_small_ones()
    {
        var x = MovedElements.Random(new Random(1), ElementType.Float32, 1, 100, 90, 24);
        int[] shape = [1, 102, 93, 24];
        var expected = MovedElements.Expected(
            x, shape, at => at[1] is < 1 or > 100 || at[2] is < 1 or > 90 ? null : [0, at[1] - 1, at[2] - 1, at[3]]);
        MovedElements.Check(
            MovedElements.Run(new PadOperator([0, 1, 1, 0], [0, 1, 2, 0], PadMode.Constant, 0), x)[0], shape, expected, "NHWC");
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_numbers()
    {
        var x = TensorData.Create(new float[6], 2, 3);
        Assert.Contains(
            "Pads -2 and -2 take more than the 3 elements",
            MovedElements.Refusal(new PadOperator([0, -2], [0, -2], PadMode.Constant, 0), x));
        Assert.Contains("nothing to repeat", MovedElements.Refusal(new PadOperator([0, -3], [0, 1], PadMode.Edge, 0), x));
        Assert.Contains(
            "has 2 dimensions but 1 pads before and 2 after", MovedElements.Refusal(new PadOperator([0], [0, 1], PadMode.Edge, 0), x));
        MovedElements.Refusal(new PadOperator([0, int.MaxValue], [0, int.MaxValue], PadMode.Edge, 0), x);
    }

    private static TensorData Pad(TensorData x, double value) =>
        MovedElements.Run(new PadOperator([2], [0], PadMode.Constant, value), x)[0];

    // By walking: one step at a time from the nearest element that is there.
    private static int? Source(PadMode mode, int at, int length, int before, int after)
    {
        var (first, last) = (Math.Max(0, -before), length - 1 + Math.Min(0, after));
        var index = at - before;
        if (index >= first && index <= last)
            return index;
        if (mode == PadMode.Constant)
            return null;
        var (place, direction) = index < first ? (first, -1) : (last, 1);
        var mirrored = direction;
        for (var step = index < first ? first - index : index - last; step > 0; step--)
        {
            if (mode == PadMode.Wrap)
            {
                place += direction;
                place = place < first ? last : place > last ? first : place;
            }
            else if (mode == PadMode.Reflect && first < last)
            {
                if (place + mirrored < first || place + mirrored > last)
                    mirrored = -mirrored;
                place += mirrored;
            }
        }

        return place;
    }
}
