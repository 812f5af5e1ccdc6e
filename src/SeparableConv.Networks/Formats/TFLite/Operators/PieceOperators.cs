namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Operators that put tensors together, cut them and pad them.</summary>
internal static class PieceOperators
{
    private const int ConcatenationOptions = 10;
    private const int SplitOptions = 35;
    private const int PackOptions = 59;
    private const int UnpackOptions = 64;
    private const int StridedSliceOptions = 32;
    private const int MirrorPadOptions = 77;
    private const int MostPieces = 65536;
    private const byte Symmetric = 1;

    public static void ReadConcatenation(TFLiteImporter importer, TFLiteNode node)
    {
        var table = node.Options(ConcatenationOptions);
        var inputs = new Value[node.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = importer.Input(node, i);
        if (inputs.Length == 0)
            throw TFLiteImporter.Refused(node, $"there are no inputs to put together.");
        var (first, activation) = (inputs[0], table.Byte(1));
        var axis = TensorAxis.Resolve(table.Int32(0), first.Shape.Rank);
        if (first.Type is { Quantization: not null } && first.Type.Element.IsByte())
        {
            FusedActivation.RequireNone(node, activation, first);
            importer.Set(node, importer.Emit(node, new TFLiteConcatOperator(axis, importer.OutputQuantization(node)), inputs));
            return;
        }

        var y = importer.Emit(node, new ConcatOperator(axis), inputs);
        if (first.Type.Element != ElementType.Float32)
            FusedActivation.RequireNone(node, activation, first);
        importer.Set(node, activation == 0 ? y : importer.Emit(node, new ActivationOperator(FusedActivation.Float(node, activation)), y));
    }

    public static void ReadSplit(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 1);
        var axis = TensorAxis.Resolve(importer.Integer(node, 0, "axis"), x.Shape.Rank);
        var count = node.Options(SplitOptions).Int32(0);
        if (count < 1 || count != node.Outputs.Length || x.Shape[axis] % count != 0)
        {
            throw TFLiteImporter.Refused(
                node, $"{x.Type} is to be cut into {count} equal pieces along dimension {axis} for {node.Outputs.Length} outputs.");
        }

        var sizes = new int[count];
        Array.Fill(sizes, x.Shape[axis] / count);
        SetAll(importer, node, importer.EmitAll(node, new SplitOperator(axis, sizes), x));
    }

    public static void ReadSplitV(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        int[] sizes = [.. importer.Integers(node, 1, "sizes")];
        var axis = TensorAxis.Resolve(importer.Integer(node, 2, "axis"), x.Shape.Rank);
        var open = Array.IndexOf(sizes, -1);
        if (open >= 0)
        {
            sizes[open] = 0;
            sizes[open] = (int)Math.Clamp(x.Shape[axis] - sizes.Sum(size => (long)size), 0, int.MaxValue);
        }

        if (sizes.Length != node.Outputs.Length || sizes.Any(size => size < 0))
        {
            throw TFLiteImporter.Refused(
                node, $"there are {sizes.Length} sizes for {node.Outputs.Length} outputs; expected as many, each 0 or more.");
        }

        SetAll(importer, node, importer.EmitAll(node, new SplitOperator(axis, sizes), x));
    }

    public static void ReadPack(TFLiteImporter importer, TFLiteNode node)
    {
        var first = importer.Input(node, 0);
        var axis = TensorAxis.Resolve(node.Options(PackOptions).Int32(1), first.Shape.Rank + 1);
        var inputs = new Value[node.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = ShapeOperators.Expanded(importer, node, importer.Input(node, i), axis);
        importer.Set(node, importer.Emit(node, new ConcatOperator(axis), inputs));
    }

    public static void ReadUnpack(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, table) = (importer.Input(node, 0), node.Options(UnpackOptions));
        var axis = TensorAxis.Resolve(table.Int32(1), x.Shape.Rank);
        if (x.Shape[axis] != node.Outputs.Length || x.Shape[axis] > MostPieces)
        {
            throw TFLiteImporter.Refused(
                node, $"{x.Type} has {x.Shape[axis]} slices along dimension {axis}, but there are {node.Outputs.Length} outputs.");
        }

        var sizes = new int[x.Shape[axis]];
        Array.Fill(sizes, 1);
        var lengths = x.Shape.Lengths.ToArray().Where((_, d) => d != axis).ToArray();
        var slices = importer.EmitAll(node, new SplitOperator(axis, sizes), x);
        for (var i = 0; i < slices.Count; i++)
            importer.Set(node, ShapeOperators.Reshaped(importer, node, slices[i], lengths), i);
    }

    public static void ReadSlice(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var (starts, sizes) = (importer.Integers(node, 1, "begins"), importer.Integers(node, 2, "sizes"));
        var rank = x.Shape.Rank;
        if (starts.Length != rank || sizes.Length != rank)
        {
            throw TFLiteImporter.Refused(
                node, $"there are {starts.Length} begins and {sizes.Length} sizes for {x.Type}; expected {rank} of each.");
        }

        var (steps, lengths) = (new int[rank], new int[rank]);
        for (var d = 0; d < rank; d++)
            (steps[d], lengths[d]) = (1, sizes[d] == -1 ? Math.Max(0, x.Shape[d] - Math.Max(0, starts[d])) : sizes[d]);
        importer.Set(node, importer.Emit(node, new SliceOperator(starts, steps, lengths), x));
    }

    public static void ReadStridedSlice(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var (begins, ends) = (importer.Integers(node, 1, "begins"), importer.Integers(node, 2, "ends"));
        var strides = importer.Integers(node, 3, "strides");
        if (begins.Length != ends.Length || begins.Length != strides.Length || begins.Length > 32)
        {
            var given = $"there are {begins.Length} begins, {ends.Length} ends and {strides.Length} strides";
            throw TFLiteImporter.Refused(node, $"{given}; expected as many of each, 32 at most.");
        }

        var slice = new Specification(node, x.Shape, node.Options(StridedSliceOptions));
        for (var i = 0; i < begins.Length; i++)
            slice.Add(i, begins[i], ends[i], strides[i], begins.Length);
        slice.TakeWhole(slice.Left);
        var y = importer.Emit(node, new SliceOperator([.. slice.Starts], [.. slice.Steps], [.. slice.Lengths]), x);
        importer.Set(node, ShapeOperators.Reshaped(importer, node, y, [.. slice.Result]));
    }

    public static void ReadPad(TFLiteImporter importer, TFLiteNode node)
    {
        // Quantized numbers are padded with what stands for 0.
        var x = importer.Input(node, 0);
        var (before, after) = Pads(importer, node, x);
        importer.Set(node, importer.Emit(node, new PadOperator(before, after, PadMode.Constant, x.Type.Quantization?.ZeroPoint ?? 0), x));
    }

    public static void ReadPadV2(TFLiteImporter importer, TFLiteNode node)
    {
        var (x, value) = (importer.Input(node, 0), importer.Input(node, 2));
        var (before, after) = Pads(importer, node, x);
        double constant = value.Constant?.Values switch
        {
            float[] and [var number] => number,
            sbyte[] and [var number] => number,
            byte[] and [var number] => number,
            int[] and [var number] => number,
            long[] and [var number] => number,
            _ => throw TFLiteImporter.Refused(node, $"the value to pad with is {value.Type}; expected one constant of the input's type."),
        };
        importer.Set(node, importer.Emit(node, new PadOperator(before, after, PadMode.Constant, constant), x));
    }

    public static void ReadMirrorPad(TFLiteImporter importer, TFLiteNode node)
    {
        var x = importer.Input(node, 0);
        var (before, after) = Pads(importer, node, x);
        var isSymmetric = node.Options(MirrorPadOptions).Byte(0) == Symmetric;
        for (var d = 0; d < before.Length; d++)
        {
            var most = x.Shape[d] - (isSymmetric ? 0 : 1);
            if (before[d] > most || after[d] > most)
            {
                throw TFLiteImporter.Refused(
                    node,
                    $"dimension {d} of {x.Type} is padded with {before[d]} and {after[d]} mirrored elements; there are {most} to mirror.");
            }
        }

        if (!isSymmetric)
        {
            importer.Set(node, importer.Emit(node, new PadOperator(before, after, PadMode.Reflect, 0), x));
            return;
        }

        // The border element is repeated too: a selection along each dimension.
        for (var d = 0; d < before.Length; d++)
        {
            if (before[d] == 0 && after[d] == 0)
                continue;
            var (length, left) = (x.Shape[d], before[d]);
            var indices = new int[checked(length + left + after[d])];
            for (var i = 0; i < indices.Length; i++)
                indices[i] = i < left ? left - 1 - i : i < left + length ? i - left : (2 * length) + left - 1 - i;
            x = importer.Emit(node, new GatherOperator(d), x, importer.Constant(node, indices, indices.Length));
        }

        importer.Set(node, x);
    }

    private static void SetAll(TFLiteImporter importer, TFLiteNode node, IReadOnlyList<Value> values)
    {
        for (var i = 0; i < values.Count; i++)
            importer.Set(node, values[i], i);
    }

    private static (int[] Before, int[] After) Pads(TFLiteImporter importer, TFLiteNode node, Value x)
    {
        var pads = importer.Integers(node, 1, "pads");
        if (pads.Length != 2 * x.Shape.Rank || pads.Any(pad => pad < 0))
            throw TFLiteImporter.Refused(node, $"there are {pads.Length} pads for {x.Type}; expected {2 * x.Shape.Rank}, each 0 or more.");
        var (before, after) = (new int[x.Shape.Rank], new int[x.Shape.Rank]);
        for (var d = 0; d < before.Length; d++)
            (before[d], after[d]) = (pads[2 * d], pads[(2 * d) + 1]);
        return (before, after);
    }

    /// <summary>The slice that begins, ends, strides and masks describe together: NumPy's x[a:b:c, i, ..., newaxis].</summary>
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

        /// <summary>Dimensions of the input that no entry has taken yet.</summary>
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
                long? from = (_begin & bit) != 0 ? null : begin;
                long? to = (_end & bit) != 0 ? null : _endIsOffset ? begin + (long)end : end;
                Take(from, to, begin, stride, (_shrink & bit) != 0);
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
