using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace SeparableConv.Kernels;

/// <summary>
/// Rows times packed weights by one level of Strassen's algorithm in Winograd's form: seven products of half the depth, half the
/// columns and half the rows in place of eight.
/// </summary>
/// <remarks>
/// The rows are paired as they come (0 with 1, 2 with 3, ...), so that the result of a row depends on its neighbour alone: whoever
/// cuts the rows cuts at even ones and gets the same bits. Weights W are cut into quarters W11 W12 / W21 W22, a pair of rows into
/// halves A11 A12 / A21 A22. S. Winograd, On multiplication of 2x2 matrices, 1971; Higham, Accuracy and Stability, 23.2.
/// </remarks>
internal sealed unsafe class StrassenMatrix
{
    /// <summary>Fewer rows leave too little to do for weights that take 7/4 of the memory.</summary>
    public const int LeastRows = 32;

    // Sums and products of a block of rows stay in a half of the second-level cache.
    private const int BlockFloats = 128 * 1024;

    private readonly PackedMatrix _w11;
    private readonly PackedMatrix _w21;
    private readonly PackedMatrix _w22;
    private readonly PackedMatrix _t1;
    private readonly PackedMatrix _t2;
    private readonly PackedMatrix _t3;
    private readonly PackedMatrix _t4;
    private readonly PackedBuffer _rightBias;
    private readonly SimdWidth _width;
    private readonly int _depth;
    private readonly int _columns;

    /// <param name="weights">(K, N); <see cref="Fits"/>.</param>
    /// <param name="depth">K.</param>
    /// <param name="columns">N.</param>
    /// <param name="bias">N numbers, or none for zeros.</param>
    /// <param name="width">The vector width that the product will run with.</param>
    public StrassenMatrix(ReadOnlySpan<float> weights, int depth, int columns, ReadOnlySpan<float> bias, SimdWidth width)
    {
        (_depth, _columns, _width) = (depth / 2, columns / 2, width);
        var (w11, w12, w21, w22) = (Quarter(weights, 0, 0), Quarter(weights, 0, 1), Quarter(weights, 1, 0), Quarter(weights, 1, 1));
        var (t1, t2, t3, t4) = (new float[w11.Length], new float[w11.Length], new float[w11.Length], new float[w11.Length]);
        TensorPrimitives.Subtract(w12, w11, t1);
        TensorPrimitives.Subtract(w22, t1, t2);
        TensorPrimitives.Subtract(w22, w12, t3);
        TensorPrimitives.Subtract(w21, t2, t4);
        var left = bias.IsEmpty ? default : bias[.._columns];
        var right = bias.IsEmpty ? default : bias[_columns..];
        _w11 = Pack(w11, default);
        _w21 = Pack(w21, left);
        _w22 = Pack(w22, right);
        _t1 = Pack(t1, default);
        _t2 = Pack(t2, default);
        _t3 = Pack(t3, default);
        _t4 = Pack(t4, left);
        _rightBias = new PackedBuffer(_columns);
        right.CopyTo(_rightBias.Span);
    }

    /// <summary>Panels that can be computed apart; each stands for its columns in both halves.</summary>
    public int Panels => _w11.Panels.Length;

    /// <summary>Whether the sizes can be halved.</summary>
    public static bool Fits(int depth, int columns) => depth % 2 == 0 && columns % (2 * (int)SimdWidth.V512) == 0;

    /// <summary>
    /// Whether it is faster than the plain product: an eighth of the multiplications saved against some passes over the rows' K
    /// and N numbers. Measured (Zen 4, 512 bits): 1.09 times as fast for 512x512 and 960x320, 1.05 for 96x576, 1.03 for
    /// 128x256, level for 128x128, slower below.
    /// </summary>
    public static bool Pays(int depth, int columns) => Fits(depth, columns) && (long)depth * columns >= 80L * (depth + columns);

    /// <summary>The first column of a panel in the left half; that in the right half is N/2 further.</summary>
    public int FirstColumn(int panel) => panel < Panels ? _w11.Panels[panel].FirstColumn : _columns;

    /// <summary>output[r, n] = clamp(bias[n] + sum over k of left[r, k] * weights[k, n]) for the columns of some panels.</summary>
    public void Run(
        float* left, nint leftStride, nint rows, float* output, nint outputStride, float lower, float upper, int firstPanel, int endPanel)
    {
        var (sumStride, productStride) = (Scratch.RowStride(_depth), Scratch.RowStride(_columns));
        var block = Math.Max(MatrixTile.MostRows, BlockFloats / (3 * (sumStride + productStride)));
        var blocks = (((rows + 1) / 2) + block - 1) / block;
        var pairs = (((rows + 1) / 2) + blocks - 1) / blocks;
        var scratch = Scratch.Floats(3 * pairs * (sumStride + productStride));
        var work = new Block
        {
            LeftStride = leftStride,
            OutputStride = outputStride,
            SumStride = sumStride,
            ProductStride = productStride,
            S1 = scratch,
            S2 = scratch + (pairs * sumStride),
            S3 = scratch + (2 * pairs * sumStride),
            X1 = scratch + (3 * pairs * sumStride),
            X2 = scratch + (3 * pairs * sumStride) + (pairs * productStride),
            X3 = scratch + (3 * pairs * sumStride) + (2 * pairs * productStride),
            Lower = lower,
            Upper = upper,
            FirstPanel = firstPanel,
            EndPanel = endPanel,
        };
        for (nint row = 0; row < rows; row += 2 * pairs)
        {
            work.Left = left + (row * leftStride);
            work.Output = output + (row * outputStride);
            work.Evens = Math.Min(pairs, (rows - row + 1) / 2);
            work.Odds = Math.Min(pairs, (rows - row) / 2);
            Run(work);
        }

        GC.KeepAlive(this);
    }

    private void Run(in Block b)
    {
        var a11 = b.Left;
        var a12 = b.Left + _depth;
        var a22 = b.Left + b.LeftStride + _depth;
        var evens = b.Output;
        var odds = b.Output + b.OutputStride;
        Sums(b);
        Product(b, _w11, a11, 2 * b.LeftStride, b.Evens, b.X1, b.ProductStride, null);
        ClampedProduct(b, _w21, a12, 2 * b.LeftStride, b.Evens, evens, b.X1);
        Product(b, _t2, b.S2, b.SumStride, b.Evens, b.X2, b.ProductStride, b.X1);
        Product(b, _t3, b.S3, b.SumStride, b.Evens, b.X1, b.ProductStride, b.X2);
        ClampedProduct(b, _t4, a22, 2 * b.LeftStride, b.Odds, odds, b.X1);
        Product(b, _t1, b.S1, b.SumStride, b.Evens, b.X3, b.ProductStride, null);
        switch (_width)
        {
            case SimdWidth.V512:
                Close<Simd512, Vector512<float>>(b);
                break;
            case SimdWidth.V256:
                Close<Simd256, Vector256<float>>(b);
                break;
            case SimdWidth.V128:
                Close<Simd128, Vector128<float>>(b);
                break;
            default:
                Close<SimdScalar, float>(b);
                break;
        }

        FourthSum(b);
        ClampedProduct(b, _w22, b.S2, b.SumStride, b.Evens, evens + _columns, b.X2);
    }

    /// <summary>S1 = A21 + A22, S2 = S1 - A11, S3 = A11 - A21; a row that has no partner is paired with zeros.</summary>
    private void Sums(in Block b)
    {
        for (nint i = 0; i < b.Evens; i++)
        {
            var a11 = new ReadOnlySpan<float>(b.Left + (2 * i * b.LeftStride), _depth);
            var s1 = new Span<float>(b.S1 + (i * b.SumStride), _depth);
            var s2 = new Span<float>(b.S2 + (i * b.SumStride), _depth);
            var s3 = new Span<float>(b.S3 + (i * b.SumStride), _depth);
            if (i < b.Odds)
            {
                var a21 = new ReadOnlySpan<float>(b.Left + (((2 * i) + 1) * b.LeftStride), _depth);
                var a22 = new ReadOnlySpan<float>(b.Left + (((2 * i) + 1) * b.LeftStride) + _depth, _depth);
                TensorPrimitives.Add(a21, a22, s1);
                TensorPrimitives.Subtract(a11, a21, s3);
            }
            else
            {
                s1.Clear();
                a11.CopyTo(s3);
            }

            TensorPrimitives.Subtract(s1, a11, s2);
        }
    }

    /// <summary>S4 = A12 - S2, in S2's place.</summary>
    private void FourthSum(in Block b)
    {
        for (nint i = 0; i < b.Evens; i++)
        {
            var s2 = new Span<float>(b.S2 + (i * b.SumStride), _depth);
            TensorPrimitives.Subtract(new ReadOnlySpan<float>(b.Left + (2 * i * b.LeftStride) + _depth, _depth), s2, s2);
        }
    }

    private static void Product(
        in Block b, PackedMatrix weights, float* left, nint leftStride, nint rows, float* output, nint outputStride, float* addend) =>
        Product(b, weights, left, leftStride, rows, output, outputStride, addend, float.NegativeInfinity, float.PositiveInfinity);

    private static void ClampedProduct(in Block b, PackedMatrix weights, float* left, nint leftStride, nint rows, float* output, float* addend) =>
        Product(b, weights, left, leftStride, rows, output, 2 * b.OutputStride, addend, b.Lower, b.Upper);

    private static void Product(
        in Block b,
        PackedMatrix weights,
        float* left,
        nint leftStride,
        nint rows,
        float* output,
        nint outputStride,
        float* addend,
        float lower,
        float upper)
    {
        nint segment = 0;
        var leftRows = new LeftRows { Start = left, RowStride = leftStride, Rows = rows, SegmentOffsets = &segment, Segments = 1, SegmentLength = weights.Depth };
        MatrixProduct.Run(weights, leftRows, output, outputStride, lower, upper, b.FirstPanel, b.EndPanel, addend, b.ProductStride);
    }

    /// <summary>The right half of the odd rows, clamp(X1 + X3 + bias), and X2 += X3.</summary>
    private void Close<TSimd, TVec>(in Block b)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var (first, end) = (FirstColumn(b.FirstPanel), FirstColumn(b.EndPanel));
        var lower = TSimd.Broadcast(b.Lower);
        var upper = TSimd.Broadcast(b.Upper);
        for (nint i = 0; i < b.Evens; i++)
        {
            var x1 = b.X1 + (i * b.ProductStride);
            var x2 = b.X2 + (i * b.ProductStride);
            var x3 = b.X3 + (i * b.ProductStride);
            for (var n = first; n < end; n += TSimd.Count)
                TSimd.Store(TSimd.Add(TSimd.Load(x2 + n), TSimd.Load(x3 + n)), x2 + n);
            if (i >= b.Odds)
                continue;
            var output = b.Output + (((2 * i) + 1) * b.OutputStride) + _columns;
            for (var n = first; n < end; n += TSimd.Count)
            {
                var sum = TSimd.Add(TSimd.Add(TSimd.Load(x1 + n), TSimd.Load(x3 + n)), TSimd.Load(_rightBias.Pointer + n));
                TSimd.Store(TSimd.Min(upper, TSimd.Max(lower, sum)), output + n);
            }
        }
    }

    private float[] Quarter(ReadOnlySpan<float> weights, int lower, int right)
    {
        var quarter = new float[_depth * _columns];
        for (var k = 0; k < _depth; k++)
            weights.Slice((((lower * _depth) + k) * 2 * _columns) + (right * _columns), _columns).CopyTo(quarter.AsSpan(k * _columns));
        return quarter;
    }

    private PackedMatrix Pack(float[] weights, ReadOnlySpan<float> bias) => new(weights, _columns, _depth, _columns, bias, _width, _depth);

    /// <summary>What a block of rows works on: S are sums of its halves, X products.</summary>
    private struct Block
    {
        public float* Left;
        public nint LeftStride;
        public float* Output;
        public nint OutputStride;
        public nint Evens;
        public nint Odds;
        public float* S1;
        public float* S2;
        public float* S3;
        public nint SumStride;
        public float* X1;
        public float* X2;
        public float* X3;
        public nint ProductStride;
        public float Lower;
        public float Upper;
        public int FirstPanel;
        public int EndPanel;
    }
}
