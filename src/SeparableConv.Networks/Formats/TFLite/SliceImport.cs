using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Reads SLICE and STRIDED_SLICE.</summary>
internal static class SliceImport
{
    private const int StridedSliceOptions = 32;

    public static void Slice(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var (starts, sizes) = (importer.Integers(node, 1, "begins"), importer.Integers(node, 2, "sizes"));
        var rank = x.Shape.Rank;
        if (starts.Length != rank || sizes.Length != rank)
            throw TFLiteImporter.Refused(node, $"there are {starts.Length} begins and {sizes.Length} sizes for {x.Type}; expected {rank} of each.");
        var (steps, lengths) = (new int[rank], new int[rank]);
        for (var d = 0; d < rank; d++)
            (steps[d], lengths[d]) = (1, sizes[d] == -1 ? Math.Max(0, x.Shape[d] - Math.Max(0, starts[d])) : sizes[d]);
        importer.Set(node, importer.Emit(node, new SliceOperator(starts, steps, lengths), x));
    }

    public static void StridedSlice(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var (begins, ends, strides) = (importer.Integers(node, 1, "begins"), importer.Integers(node, 2, "ends"), importer.Integers(node, 3, "strides"));
        if (begins.Length != ends.Length || begins.Length != strides.Length || begins.Length > 32)
            throw TFLiteImporter.Refused(node, $"there are {begins.Length} begins, {ends.Length} ends and {strides.Length} strides; expected as many of each, 32 at most.");
        var slice = new Specification(node, x.Shape, node.Options(StridedSliceOptions));
        for (var i = 0; i < begins.Length; i++)
            slice.Add(i, begins[i], ends[i], strides[i], begins.Length);
        slice.TakeWhole(slice.Left);
        var y = importer.Emit(node, new SliceOperator([.. slice.Starts], [.. slice.Steps], [.. slice.Lengths]), x);
        importer.Set(node, ShapeImport.Reshaped(importer, node, y, [.. slice.Result]));
    }

    /// <summary>What the masks make of begins, ends and strides: NumPy's x[a:b:c, i, ..., newaxis].</summary>
    private sealed class Specification(TFLiteNode node, TensorShape shape, FlatTable masks)
    {
        private readonly int _begin = masks.Int32(0);
        private readonly int _end = masks.Int32(1);
        private readonly int _ellipsis = masks.Int32(2);
        private readonly int _newAxis = masks.Int32(3);
        private readonly int _shrink = masks.Int32(4);
        private readonly bool _endIsOffset = masks.Bool(5);

        public List<int> Starts { get; } = [];

        public List<int> Steps { get; } = [];

        public List<int> Lengths { get; } = [];

        /// <summary>The lengths of the result: without the dimensions that an index took away, with the new ones.</summary>
        public List<int> Result { get; } = [];

        /// <summary>Dimensions of the input that nothing has been said of yet.</summary>
        public int Left => shape.Rank - Starts.Count;

        public void Add(int index, int begin, int end, int stride, int count)
        {
            var bit = 1 << index;
            if ((_ellipsis & bit) != 0)
            {
                // As many dimensions as the entries behind it leave.
                var later = 0;
                for (var i = index + 1; i < count; i++)
                    later += (_newAxis & (1 << i)) == 0 ? 1 : 0;
                TakeWhole(Math.Max(0, Left - later));
            }
            else if ((_newAxis & bit) != 0)
            {
                Result.Add(1);
            }
            else
            {
                Take((_begin & bit) != 0 ? null : begin, (_end & bit) != 0 ? null : _endIsOffset ? begin + (long)end : end, begin, stride, (_shrink & bit) != 0);
            }
        }

        public void TakeWhole(int dimensions)
        {
            for (var i = 0; i < dimensions; i++)
                Take(null, null, 0, 1, shrink: false);
        }

        private void Take(long? begin, long? end, int index, int stride, bool shrink)
        {
            if (Left == 0)
                throw TFLiteImporter.Refused(node, $"more dimensions are sliced than the input {shape} has.");
            var length = shape[Starts.Count];
            if (stride == 0)
                throw TFLiteImporter.Refused(node, $"the stride of dimension {Starts.Count} is 0.");
            if (shrink)
            {
                var start = index < 0 ? index + (long)length : index;
                if (start < 0 || start >= length)
                    throw TFLiteImporter.Refused(node, $"index {index} lies outside dimension {Starts.Count} of {shape}.");
                Note((int)start, 1, 1);
                return;
            }

            // From the back where below 0; then cut to what the direction can reach.
            var (least, most) = stride > 0 ? (0, length) : (-1, length - 1);
            var from = Math.Clamp(begin is { } b ? b < 0 ? b + length : b : stride > 0 ? 0 : length - 1, least, most);
            var to = Math.Clamp(end is { } e ? e < 0 ? e + length : e : stride > 0 ? length : -1, least, most);
            var count = stride > 0 ? (to - from + stride - 1) / stride : (from - to - stride - 1L) / -(long)stride;
            Note((int)from, stride, (int)Math.Max(0, count));
            Result.Add(Lengths[^1]);
        }

        private void Note(int start, int step, int length)
        {
            Starts.Add(start);
            Steps.Add(step);
            Lengths.Add(length);
        }
    }
}
