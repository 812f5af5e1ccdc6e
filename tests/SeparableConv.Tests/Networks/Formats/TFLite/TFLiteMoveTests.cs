namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Operators that move or repeat elements or make them from a shape, read from hand-made files, of floats and of bytes.</summary>
public class TFLiteMoveTests
{
    [Theory]
    [InlineData(new[] { 2 }, new[] { 1, 2 }, new[] { 2, 5, 3 })]
    [InlineData(new[] { 2, 3 }, new[] { 0, 1, 2, 0 }, new[] { 2, 5, 7, 3 })]
    [InlineData(new[] { 3, 1 }, new[] { 1, 0, 0, 0 }, new[] { 1, 5, 2, 2 })]
    [InlineData(new[] { 2, 2, 2 }, new[] { 0, 0, 1, 1, 0, 1 }, new[] { 1, 2, 2, 3, 2 })]
    public void Space_to_batch_and_back(int[] block, int[] pads, int[] shape)
    {
        var count = shape.Aggregate(1, (a, b) => a * b);
        var x = Enumerable.Range(1, count).Select(i => (float)i).ToArray();
        int[] padded = [.. shape];
        for (var d = 0; d < block.Length; d++)
            padded[d + 1] += pads[2 * d] + pads[(2 * d) + 1];
        int[] cut = [.. padded];
        for (var d = 0; d < block.Length; d++)
            (cut[0], cut[d + 1]) = (cut[0] * block[d], padded[d + 1] / block[d]);

        var y = Space("SPACE_TO_BATCH_ND").Input(x, shape).Constant(block, block.Length).Constant(pads, block.Length, 2).Run<float>(cut);
        for (var i = 0; i < y.Length; i++)
            Assert.Equal(Source(i) is { } at ? x[at] : 0, y[i]);

        // The inverse takes away what was added.
        var back = Space("BATCH_TO_SPACE_ND").Input(y, cut).Constant(block, block.Length).Constant(pads, block.Length, 2).Run<float>(shape);
        Assert.Equal(x, back);

        // Bytes are padded with what stands for 0.
        var bytes = Enumerable.Range(0, count).Select(i => (byte)(i * 7)).ToArray();
        var moved = Space("SPACE_TO_BATCH_ND").Bytes(ElementType.UInt8, bytes, shape, (0.5f, 77)).Constant(block, block.Length)
            .Constant(pads, block.Length, 2).Run(ElementType.UInt8, cut, (0.5f, 77));
        Assert.Equal(Enumerable.Range(0, y.Length).Select(i => Source(i) is { } at ? bytes[at] : (byte)77), moved);

        static TFLiteCall Space(string code) => new(code);

        // Where an output element comes from; null where it is padding.
        int? Source(int i)
        {
            var index = new int[shape.Length];
            for (var d = shape.Length - 1; d >= 0; d--)
                (i, index[d]) = Math.DivRem(i, cut[d]);
            var (which, image) = Math.DivRem(index[0], shape[0]);
            for (var d = block.Length - 1; d >= 0; d--)
            {
                (which, var within) = Math.DivRem(which, block[d]);
                index[d + 1] = (index[d + 1] * block[d]) + within - pads[2 * d];
            }

            index[0] = image;
            var at = 0;
            for (var d = 0; d < shape.Length; d++)
            {
                if (index[d] < 0 || index[d] >= shape[d])
                    return null;
                at = (at * shape[d]) + index[d];
            }

            return at;
        }
    }

    [Fact]
    public void Depth_to_space_and_back()
    {
        var x = Enumerable.Range(0, 2 * 2 * 3 * 8).Select(i => (float)i).ToArray();
        FlatRecord options = new() { [0] = 2 };
        var y = new TFLiteCall("DEPTH_TO_SPACE", 94, options).Input(x, [2, 2, 3, 8]).Run<float>([2, 4, 6, 2]);
        for (var i = 0; i < y.Length; i++)
        {
            var (n, row, column, c) = (i / 48, i / 12 % 4, i / 2 % 6, i % 2);
            Assert.Equal(x[(((((n * 2) + (row / 2)) * 3) + (column / 2)) * 8) + (row % 2 * 4) + (column % 2 * 2) + c], y[i]);
        }

        Assert.Equal(x, new TFLiteCall("SPACE_TO_DEPTH", 19, options).Input(y, [2, 4, 6, 2]).Run<float>([2, 2, 3, 8]));
    }

    [Fact]
    public void Reverse_and_repeat()
    {
        float[] x = [1, 2, 3, 4, 5, 6];
        Assert.Equal([6f, 5, 4, 3, 2, 1], new TFLiteCall("REVERSE_V2").Input(x, [2, 3]).Constant([0, -1], 2).Run<float>([2, 3]));
        Assert.Equal([4f, 5, 6, 1, 2, 3], new TFLiteCall("REVERSE_V2").Input(x, [2, 3]).Constant([0], 1).Run<float>([2, 3]));
        Assert.Equal(
            [1f, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6], new TFLiteCall("TILE").Input(x, [2, 3]).Constant([1, 2], 2).Run<float>([2, 6]));
        Assert.Equal([5f, 5, 7, 7], new TFLiteCall("BROADCAST_TO").Input([5f, 7], [2, 1]).Constant([2, 2], 2).Run<float>([2, 2]));
        Assert.Equal([9f, 9, 9, 9], new TFLiteCall("FILL").Constant([2, 2], 2).Input([9f], []).Run<float>([2, 2]));
        byte[] bytes = [1, 2, 3];
        Assert.Equal(
            [1, 2, 3, 1, 2, 3],
            new TFLiteCall("TILE").Bytes(ElementType.Int8, bytes, [3], (0.5f, 3)).Constant([2L], 1).Run(ElementType.Int8, [6], (0.5f, 3)));
    }

    [Fact]
    public void What_shapes_and_constants_decide_is_known_when_the_model_is_loaded()
    {
        Assert.Equal([3, 1, -1], new TFLiteCall("RANGE").Constant([3]).Constant([-2]).Constant([-2]).Run<int>([3]));
        Assert.Equal([0f, 0.5f, 1], new TFLiteCall("RANGE").Constant([0f]).Constant([1.2f]).Constant([0.5f]).Run<float>([3]));
        Assert.Equal([3], new TFLiteCall("RANK").Input(new float[6], [1, 2, 3]).Run<int>([]));
        var refused = Assert.Throws<NetworkException>(
            () => new TFLiteCall("RANGE").Constant([0]).Constant([int.MaxValue]).Constant([1]).Run<int>([3]));
        Assert.Contains("at most 1048576", refused.Message);
    }
}
