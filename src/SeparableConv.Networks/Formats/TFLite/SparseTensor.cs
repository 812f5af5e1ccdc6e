using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// A tensor of which the file holds only some numbers: its dimensions, and those of the blocks that it is cut into, are walked in an
/// order of their own, each of them whole or as a list of the indices that are there (compressed sparse rows).
/// </summary>
internal sealed class SparseTensor
{
    private const int MostLevels = 16;
    private const int DenseFormat = 0;
    private const int SparseFormat = 1;
    private readonly int[] _shape;
    private readonly Level[] _levels;
    private readonly int[] _index;
    private readonly int _elementSize;
    private long _stepsLeft;

    /// <param name="table">The file's record of the order, the blocks and the levels.</param>
    /// <param name="shape">The shape of the whole tensor.</param>
    /// <param name="elementSize">Bytes of an element.</param>
    /// <param name="name">The tensor's number, for messages.</param>
    /// <exception cref="NetworkException">The record is damaged.</exception>
    public SparseTensor(FlatTable table, int[] shape, int elementSize, int name)
    {
        (_shape, _elementSize) = (shape, elementSize);
        var order = table.Array<int>(0, $"the traversal order of tensor {name}", MostLevels);
        var blocked = table.Array<int>(1, $"the blocks of tensor {name}", MostLevels);
        var levels = table.Tables(2);
        if (order.Length != shape.Length + blocked.Length || levels.Length != order.Length
            || !order.Order().SequenceEqual(Enumerable.Range(0, order.Length))
            || Array.Exists(blocked, dimension => dimension < 0 || dimension >= shape.Length))
        {
            var (dimensions, blocks) = (shape.Length, blocked.Length);
            throw FlatBuffer.Damaged(
                $"tensor {name} has {dimensions} dimensions, {blocks} of blocks, {order.Length} in its order and {levels.Length} levels");
        }

        _levels = new Level[levels.Length];
        for (var i = 0; i < levels.Length; i++)
            _levels[i] = Read(levels[i], order[i], name);

        // A block's dimension is the inner one of those that it cuts.
        for (var k = 0; k < blocked.Length; k++)
        {
            var (inner, outer) = (Array.IndexOf(order, shape.Length + k), Array.IndexOf(order, blocked[k]));
            if (_levels[inner].Size < 1 || _levels[outer].Scale != 1)
                throw FlatBuffer.Damaged($"tensor {name} has blocks of length {_levels[inner].Size} in dimension {blocked[k]}");
            _levels[inner] = _levels[inner] with { Dimension = blocked[k] };
            _levels[outer] = _levels[outer] with { Scale = _levels[inner].Size };
        }

        _index = new int[shape.Length];
        _stepsLeft = (new TensorShape(shape).ElementCount + 1) * (levels.Length + 1);
    }

    /// <summary>Puts the numbers that are there into a tensor of zeros.</summary>
    /// <exception cref="NetworkException">They lie outside it, or there are not as many.</exception>
    public void Fill(ReadOnlySpan<byte> numbers, Span<byte> whole) => Walk(0, 0, numbers, whole);

    private static Level Read(FlatTable table, int dimension, int name)
    {
        var format = table.Byte(0);
        if (format == DenseFormat)
            return new(dimension, 1, table.Int32(1), null, null);
        if (format != SparseFormat)
            throw FlatBuffer.Damaged($"tensor {name} has a dimension of format {format}");
        return new(dimension, 1, 0, Numbers(table, 2, name), Numbers(table, 4, name));
    }

    // A vector of 32, 16 or 8 bits; which, says the field before it.
    private static int[] Numbers(FlatTable table, int field, int name)
    {
        const string What = "the segments and indices of a sparse tensor";
        if (table.Table(field + 1) is not { } vector)
            throw FlatBuffer.Damaged($"tensor {name} has a sparse dimension without segments or indices");
        return table.Byte(field) switch
        {
            1 => vector.Array<int>(0, What),
            2 => Array.ConvertAll(vector.Array<ushort>(0, What), number => (int)number),
            3 => Array.ConvertAll(vector.Array<byte>(0, What), number => (int)number),
            var type => throw FlatBuffer.Damaged($"tensor {name} has indices of kind {type}"),
        };
    }

    // Goes through a level's indices; what comes before says which of its parts, and where numbers are taken from at last.
    private void Walk(int level, long part, ReadOnlySpan<byte> numbers, Span<byte> whole)
    {
        if (--_stepsLeft < 0)
            throw FlatBuffer.Damaged($"a sparse tensor ({string.Join(',', _shape)}) has more numbers than elements");
        if (part is < 0 or > int.MaxValue)
            throw FlatBuffer.Damaged($"a sparse tensor ({string.Join(',', _shape)}) has more parts than elements");
        if (level == _levels.Length)
        {
            Put(part, numbers, whole);
            return;
        }

        var (dimension, scale, size, segments, indices) = _levels[level];
        if (segments is null || indices is null)
        {
            for (var i = 0; i < size; i++)
                Step(i, (part * size) + i, numbers, whole);
            return;
        }

        var (from, to) = part + 1 < segments.Length ? (segments[part], segments[part + 1]) : (0, -1);
        if (from < 0 || to < from || to > indices.Length)
            throw FlatBuffer.Damaged($"a sparse tensor's segment {part} goes from {from} to {to} of {indices.Length} indices");
        for (var i = from; i < to; i++)
            Step(indices[i], i, numbers, whole);

        void Step(int index, long next, ReadOnlySpan<byte> numbers, Span<byte> whole)
        {
            var before = _index[dimension];
            _index[dimension] = (int)Math.Clamp(before + ((long)index * scale), -1, int.MaxValue);
            Walk(level + 1, next, numbers, whole);
            _index[dimension] = before;
        }
    }

    private void Put(long from, ReadOnlySpan<byte> numbers, Span<byte> whole)
    {
        long to = 0;
        for (var d = 0; d < _shape.Length; d++)
        {
            if (_index[d] < 0 || _index[d] >= _shape[d])
                throw FlatBuffer.Damaged($"a sparse tensor ({string.Join(',', _shape)}) has index {_index[d]} in dimension {d}");
            to = (to * _shape[d]) + _index[d];
        }

        if ((from + 1) * _elementSize > numbers.Length)
            throw FlatBuffer.Damaged($"a sparse tensor has {numbers.Length / _elementSize} numbers but names number {from}");
        numbers.Slice((int)from * _elementSize, _elementSize).CopyTo(whole[((int)to * _elementSize)..]);
    }

    /// <summary>One loop: over the dimension's whole length, or over the indices of the segment that the loops outside are in.</summary>
    private readonly record struct Level(int Dimension, int Scale, int Size, int[]? Segments, int[]? Indices);
}
