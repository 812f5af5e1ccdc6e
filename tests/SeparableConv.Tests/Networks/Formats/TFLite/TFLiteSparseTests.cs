using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Weights of which the file holds only those that are not 0, filled up when the model is loaded.</summary>
public class TFLiteSparseTests
{
    [Theory]
    [InlineData(new[] { 4, 6 }, new[] { 0, 1 }, new int[0], new int[0], new[] { false, true })]
    [InlineData(new[] { 4, 6 }, new[] { 1, 0 }, new int[0], new int[0], new[] { false, true })]
    [InlineData(new[] { 4, 6 }, new[] { 0, 1 }, new int[0], new int[0], new[] { true, true })]
    [InlineData(new[] { 4, 8 }, new[] { 0, 1, 2 }, new[] { 1 }, new[] { 4 }, new[] { false, true, false })]
    [InlineData(new[] { 4, 8 }, new[] { 0, 1, 2, 3 }, new[] { 0, 1 }, new[] { 2, 4 }, new[] { false, true, false, false })]
    [InlineData(new[] { 4, 8 }, new[] { 1, 0, 3, 2 }, new[] { 0, 1 }, new[] { 2, 2 }, new[] { true, true, false, false })]
    [InlineData(new[] { 2, 3, 4 }, new[] { 2, 0, 1 }, new int[0], new int[0], new[] { false, false, true })]
    public void Every_format(int[] shape, int[] order, int[] blocked, int[] blocks, bool[] isSparse)
    {
        for (var kind = 1; kind <= 3; kind++)
        {
            var dense = Dense(shape, blocked, blocks);
            var (sparsity, numbers) = Sparse(dense, shape, order, blocked, blocks, isSparse, kind);
            var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
            file.Tensor(ElementType.Float32, shape);
            var weights = file.Constant(numbers, [numbers.Length]);
            (file.Tensors[weights][0], file.Tensors[weights][6]) = (shape, sparsity);
            file.Tensor(ElementType.Float32, shape);
            file.Tensor(ElementType.Float32, shape);
            file.Operator(BuiltinOperator.DENSIFY, [weights], [2]);
            file.Operator(BuiltinOperator.ADD, [0, 2], [3], 11, []);
            var y = MemoryMarshal.Cast<byte, float>(file.Run(new byte[dense.Length * sizeof(float)])).ToArray();
            Assert.Equal(dense, y);
        }
    }

    [Fact]
    public void Damaged_ones_are_refused()
    {
        Refused(s => s[0] = new[] { 0, 0 }, "in its order");
        Refused(s => s[2] = new FlatRecord[] { new() { [1] = 4 } }, "and 1 levels");
        Refused(s => ((FlatRecord[])s[2])[1][0] = (byte)7, "a dimension of format 7");
        Refused(s => ((FlatRecord)((FlatRecord[])s[2])[1][3])[0] = new[] { 0, 99, 99, 99, 99 }, "goes from 0 to 99");
        Refused(s => ((FlatRecord)((FlatRecord[])s[2])[1][5])[0] = new[] { 0, 1, 77, 1, 2 }, "has index 77 in dimension 1");
        Refused(s => ((FlatRecord[])s[2])[0][1] = int.MaxValue, "goes from 0 to -1");
    }

    private static void Refused(Action<FlatRecord> damage, string message)
    {
        var dense = Dense([4, 6], [], []);
        var (sparsity, numbers) = Sparse(dense, [4, 6], [0, 1], [], [], [false, true], 1);
        damage(sparsity);
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [4, 6]);
        file.Constant(numbers, [numbers.Length]);
        (file.Tensors[1][0], file.Tensors[1][6]) = (new[] { 4, 6 }, sparsity);
        file.Tensor(ElementType.Float32, [4, 6]);
        file.Operator(BuiltinOperator.ADD, [0, 1], [2], 11, []);
        Assert.Contains(message, Assert.Throws<NetworkException>(() => file.Read()).Message);
    }

    // Whole blocks are 0 or not.
    private static float[] Dense(int[] shape, int[] blocked, int[] blocks)
    {
        var dense = new float[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < dense.Length; i++)
        {
            var (rest, key) = (i, 7);
            for (var d = shape.Length - 1; d >= 0; d--)
            {
                (rest, var index) = Math.DivRem(rest, shape[d]);
                var k = Array.IndexOf(blocked, d);
                key = (key * 31) + (k < 0 ? index : index / blocks[k]);
            }

            dense[i] = new Random(key).Next(3) == 0 ? i + 1 : 0;
        }

        return dense;
    }

    // Level by level: of each part of the level before, all indices or those below which some number is not 0.
    private static (FlatRecord Sparsity, float[] Numbers) Sparse(
        float[] dense, int[] shape, int[] order, int[] blocked, int[] blocks, bool[] isSparse, int kind)
    {
        int Size(int dimension) => dimension >= shape.Length ? blocks[dimension - shape.Length]
            : Array.IndexOf(blocked, dimension) is >= 0 and var k ? shape[dimension] / blocks[k] : shape[dimension];
        var parts = new List<int[]> { Array.Empty<int>() };
        var levels = new List<FlatRecord>();
        for (var level = 0; level < order.Length; level++)
        {
            var (next, segments, indices) = (new List<int[]>(), new List<int> { 0 }, new List<int>());
            foreach (var part in parts)
            {
                for (var i = 0; i < Size(order[level]); i++)
                {
                    int[] longer = [.. part, i];
                    if (isSparse[level] && !Elements(longer).Any(e => dense[e] != 0))
                        continue;
                    indices.Add(i);
                    next.Add(longer);
                }

                segments.Add(indices.Count);
            }

            levels.Add(isSparse[level]
                ? new() { [0] = (byte)1, [2] = (byte)kind, [3] = Vector(segments), [4] = (byte)kind, [5] = Vector(indices) }
                : new() { [1] = Size(order[level]) });
            parts = next;
        }

        FlatRecord sparsity = new() { [0] = order, [2] = levels.ToArray() };
        if (blocked.Length > 0)
            sparsity[1] = blocked;
        return (sparsity, [.. parts.Select(part => dense[Elements(part).Single()])]);

        FlatRecord Vector(List<int> numbers) => new()
        {
            [0] = kind switch
            {
                1 => numbers.ToArray(),
                2 => numbers.Select(n => (ushort)n).ToArray(),
                _ => (object)numbers.Select(n => (byte)n).ToArray(),
            },
        };

        // The elements of the whole tensor that lie below some indices.
        IEnumerable<int> Elements(int[] known) => Enumerable.Range(0, dense.Length).Where(element =>
        {
            var (rest, index) = (element, new int[shape.Length]);
            for (var d = shape.Length - 1; d >= 0; d--)
                (rest, index[d]) = Math.DivRem(rest, shape[d]);
            for (var level = 0; level < known.Length; level++)
            {
                var dimension = order[level];
                var k = dimension >= shape.Length ? dimension - shape.Length : Array.IndexOf(blocked, dimension);
                var own = dimension >= shape.Length ? index[blocked[k]] % blocks[k]
                    : k >= 0 ? index[dimension] / blocks[k] : index[dimension];
                if (own != known[level])
                    return false;
            }

            return true;
        });
    }
}
