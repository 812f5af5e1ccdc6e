using System.Runtime.Intrinsics.X86;
using SeparableConv.Loops;
using SeparableConv.Tests.Loops.MachineCode;

namespace SeparableConv.Tests.Loops.Matrix;

/// <summary>Products of integers, every tile of every width, beside plain loops.</summary>
public sealed unsafe class IntegerTileTests
{
    public static TheoryData<int, int> WidthsAndKinds
    {
        get
        {
            var data = new TheoryData<int, int>();
            foreach (var width in SimdWidths.All)
            {
                data.Add((int)width, (int)LaneKind.ShortPair);
                data.Add((int)width, (int)LaneKind.ByteQuad);
            }

            return data;
        }
    }

    /// <summary>All shapes, heights and last vectors, rows that overlap, segments in any order.</summary>
    [Theory]
    [MemberData(nameof(WidthsAndKinds))]
    public void Tiles_give_the_sums_of_plain_loops(int width, int kind)
    {
        var random = new Random(width + kind);
        for (var vectors = 1; vectors <= 3; vectors++)
        {
            var most = MatrixTileTable.For((SimdWidth)width, (LaneKind)kind).RowsFor(vectors);
            for (var rows = 1; rows <= most; rows++)
            {
                // Fewer columns than lanes too, which are copied from a vector.
                foreach (var less in new[] { 0, 1, width / 2 }.Where(less => less < width).Distinct())
                {
                    foreach (var (segments, segmentLength) in new[] { (1, 1), (1, 7), (3, 5) })
                        CheckProduct((vectors * width) - less, rows, segments, segmentLength, (SimdWidth)width, (LaneKind)kind, random);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(WidthsAndKinds))]
    public void Products_give_the_sums_of_plain_loops(int width, int kind)
    {
        var random = new Random(width + kind);
        foreach (var columns in new[] { width, 4 * width, (5 * width) + (width / 2), 7 * width })
        {
            foreach (var rows in new[] { 29, 70 })
                CheckProduct(columns, rows, 2, 9, (SimdWidth)width, (LaneKind)kind, random);
        }
    }

    [Fact]
    public void No_product_of_bytes_saturates()
    {
        // 255 * -128 four times in a lane, where two would leave 16 bits.
        foreach (var width in SimdWidths.All)
        {
            var (weights, left) = (new float[9 * 16], new float[9]);
            Array.Fill(weights, BitConverter.Int32BitsToSingle(unchecked((int)0x80808080)));
            Array.Fill(left, BitConverter.Int32BitsToSingle(-1));
            var sums = Run(weights, [], left, 1, 1, 9, 9, [0], 16, width, LaneKind.ByteQuad);
            Assert.All(sums, sum => Assert.Equal(9 * 4 * 255 * -128, sum));
        }
    }

    [Fact]
    public void Machine_code_is_used_where_the_machine_has_the_instruction_and_nobody_forbids_it()
    {
        const string processors = "/proc/cpuinfo";
        Assert.SkipUnless(
            Avx512F.IsSupported && File.Exists(processors) && File.ReadAllText(processors).Contains("avx512_vnni"),
            "The machine has no AVX512-VNNI, or is no Linux.");
        Assert.Equal(TestEnvironment.IsMachineCodeWanted, ByteQuadCode.IsSupported);
        Assert.Equal(TestEnvironment.IsMachineCodeWanted, ByteQuadCode.Shared.Missing is null);
        Assert.Null(ByteQuadCode.Write(isWanted: true).Missing);
        var off = ByteQuadCode.Write(isWanted: false);
        Assert.Equal(0, off.Tiles.Length);
        Assert.Contains("SeparableConv.MachineCode", off.Missing);
        var refused = ByteQuadCode.Write(isWanted: true, ExecutableMemoryTests.Refuse);
        Assert.Equal(0, refused.Tiles.Length);
        Assert.Contains("mprotect", refused.Missing);
    }

    /// <summary>Why machine code is missing is known wherever it is missing; other code takes its place.</summary>
    [Fact]
    public void Whatever_is_missing_is_said_and_replaced()
    {
        Assert.NotNull(ByteQuadCode.Write(isWanted: false).Missing);
        Assert.Equal(ByteQuadCode.Shared.Missing is null, ByteQuadCode.Shared.Tiles.Length > 0);
        Assert.Equal((LaneKind.ByteQuad, SimdWidth.V512), new ByteInstructions(true, true).Choose(SimdWidth.V512));
        Assert.Equal((LaneKind.ByteQuad, SimdWidth.V256), new ByteInstructions(false, true).Choose(SimdWidth.V512));
        Assert.Equal((LaneKind.ShortPair, SimdWidth.V512), new ByteInstructions(false, false).Choose(SimdWidth.V512));
        Assert.Equal((LaneKind.ShortPair, SimdWidth.V256), new ByteInstructions(true, false).Choose(SimdWidth.V256));
        Assert.Equal((LaneKind.ByteQuad, SimdWidth.V128), new ByteInstructions(true, true).Choose(SimdWidth.V128));
        Assert.Equal((LaneKind.ShortPair, SimdWidth.Scalar), new ByteInstructions(true, true).Choose(SimdWidth.Scalar));
    }

    /// <summary>The tiles by themselves: those of machine code, and those that other machines run, 512 bits wide too.</summary>
    [Fact]
    public void Tiles_of_byte_quads_give_the_sums_of_plain_loops()
    {
        foreach (var width in SimdWidths.All)
        {
            MatrixTileTable[] tables = [MatrixTileTable.For(width, LaneKind.ByteQuad), MatrixTileTable.CompiledByteQuads(width)];
            foreach (var table in tables)
            {
                for (var vectors = 1; vectors <= 3; vectors++)
                {
                    for (var rows = 1; rows <= table.RowsFor(vectors); rows++)
                        CheckTile(table, vectors, rows, new Random(rows));
                }
            }
        }
    }

    /// <summary>So many steps that garbage collections may begin meanwhile.</summary>
    [Fact]
    public void Long_rows_give_the_sums_of_plain_loops()
    {
        foreach (var kind in new[] { LaneKind.ShortPair, LaneKind.ByteQuad })
            CheckProduct(40, 17, 3, 700, SimdWidths.Best, kind, new Random(7));
    }

    private static void CheckTile(MatrixTileTable table, int vectors, int rows, Random random)
    {
        const int steps = 11;
        var lanes = table.VectorLength;
        var columns = vectors * lanes;
        var (left, panel, bias) = (Bits(rows * steps, random), Bits(steps * columns, random), Bits(columns, random));
        var sums = new int[rows * columns];
        nint segment = 0;
        fixed (float* x = left, w = panel, b = bias)
        {
            fixed (int* y = sums)
            {
                var arguments = new TileArguments
                {
                    Left = x,
                    RowStride = steps,
                    SegmentOffsets = &segment,
                    Segments = 1,
                    SegmentLength = steps,
                    Panel = w,
                    Bias = b,
                    Output = (float*)y,
                    OutputStride = columns,
                    LastVectorOffset = (vectors - 1) * lanes,
                    Prefetch = x,
                    PrefetchOutput = x,
                };
                table.Run(vectors, rows, &arguments);
            }
        }

        for (var r = 0; r < rows; r++)
        {
            for (var n = 0; n < columns; n++)
            {
                var sum = Sum(steps, k => left[(r * steps) + k], k => panel[(k * columns) + n], bias[n], LaneKind.ByteQuad);
                Assert.True(
                    sum == sums[(r * columns) + n],
                    $"{lanes} lanes, {rows}x{vectors} vectors: [{r}, {n}] is {sums[(r * columns) + n]}; expected {sum}.");
            }
        }
    }

    private static void CheckProduct(int columns, int rows, int segments, int segmentLength, SimdWidth width, LaneKind kind, Random random)
    {
        var depth = segments * segmentLength;
        var rowStride = random.Next(1, segmentLength + 3);
        var offsets = Enumerable.Range(0, segments).Select(s => (nint)(s * (segmentLength + 2))).Reverse().ToArray();
        var left = Bits(((rows - 1) * rowStride) + (segments * (segmentLength + 2)), random);
        var weights = Bits(depth * columns, random);
        var bias = Bits(columns, random);
        var actual = Run(weights, bias, left, rows, segments, segmentLength, rowStride, offsets, columns, width, kind);
        for (var r = 0; r < rows; r++)
        {
            for (var n = 0; n < columns; n++)
            {
                var sum = Sum(
                    depth,
                    k => left[(r * rowStride) + (int)offsets[k / segmentLength] + (k % segmentLength)],
                    k => weights[(k * columns) + n],
                    bias[n],
                    kind);
                Assert.True(
                    sum == actual[(r * columns) + n],
                    $"{width} {kind}, {rows}x{columns}, {segments} segments of {segmentLength}, row stride {rowStride}: [{r}, {n}] is "
                    + $"{actual[(r * columns) + n]}; expected {sum}.");
            }
        }
    }

    // In memory that ends with the last sum and begins with the first.
    private static int[] Run(
        float[] weights, float[] bias, float[] left, int rows, int segments, int segmentLength, int rowStride, nint[] offsets, int columns,
        SimdWidth width, LaneKind kind)
    {
        var matrix = new PackedMatrix(weights, columns, segments * segmentLength, columns, bias, width, segmentLength, kind);
        using var input = new GuardedMemory(left.Length * sizeof(float), endsAtGuard: true);
        using var output = new GuardedMemory(rows * columns * sizeof(int), endsAtGuard: columns % 2 == 0);
        left.CopyTo(input.Span<float>());
        fixed (nint* segmentOffsets = offsets)
        {
            var operand = new LeftRows
            {
                Start = (float*)input.Start,
                RowStride = rowStride,
                Rows = rows,
                SegmentOffsets = segmentOffsets,
                Segments = segments,
                SegmentLength = segmentLength,
            };
            MatrixProduct.Run(matrix, operand, (float*)output.Start, columns, Activation.None, 0, matrix.Panels.Length);
        }

        return output.Span<int>().ToArray();
    }

    // The bits of integers in floats, as tiles are given them.
    private static int Sum(int depth, Func<int, float> left, Func<int, float> weights, float bias, LaneKind kind)
    {
        var sum = BitConverter.SingleToInt32Bits(bias);
        for (var k = 0; k < depth; k++)
            sum = unchecked(sum + Product(BitConverter.SingleToInt32Bits(left(k)), BitConverter.SingleToInt32Bits(weights(k)), kind));
        return sum;
    }

    private static int Product(int x, int w, LaneKind kind) => kind == LaneKind.ShortPair
        ? unchecked(((short)x * (short)w) + ((x >> 16) * (w >> 16)))
        : ((byte)x * (sbyte)w) + ((byte)(x >> 8) * (sbyte)(w >> 8)) + ((byte)(x >> 16) * (sbyte)(w >> 16))
            + ((byte)(x >> 24) * (sbyte)(w >> 24));

    private static float[] Bits(int count, Random random)
    {
        var bits = new float[count];
        random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(bits.AsSpan()));
        return bits;
    }
}
