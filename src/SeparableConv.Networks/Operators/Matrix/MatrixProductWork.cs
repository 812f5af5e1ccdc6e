using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A matrix product whose right side is not constant: y[m, r, n] = sum over k of a[m, r, k] * b[m, k, n] for a batch of pairs m.
/// </summary>
/// <remarks>
/// Half precision is summed in single precision, integers wrap around. Nothing is allocated; floats of many rows are packed in working
/// memory, panel by panel (<see cref="RunTimeProduct"/>).
/// </remarks>
internal unsafe struct MatrixProductWork<T> : IRangeWork
    where T : unmanaged, INumber<T>
{
    // A piece of the rows: enough that the right side is read once for many of them.
    private const int RowsInPiece = 32;

    // Rows that a panel is packed for once more.
    private const int LeastRowsInPart = 64;

    public T* A;

    /// <summary>Elements of a from one row to the next.</summary>
    public nint RowStride;

    /// <summary>Elements of a from one k to the next.</summary>
    public nint StepStride;

    /// <summary>(K, N), or (N, K) where <see cref="TransposedB"/>.</summary>
    public T* B;

    public bool TransposedB;

    /// <summary>(rows, N), for each pair of the batch.</summary>
    public T* Y;

    public nint Rows;

    public nint Depth;

    public int Columns;

    /// <summary>Which matrices the batch pairs up; all of it is the first where there is none.</summary>
    public StridedLoops Batch;

    /// <summary>Computes all of the batch.</summary>
    public readonly void Run(nint batch, int threads)
    {
        if (Columns == 0 || Rows == 0)
            return;
        if (IsPacked)
        {
            var panels = new Panels { Product = this, Count = RunTimeProduct.Panels(Columns, SimdWidths.Best) };
            panels.RowParts = batch * panels.Count >= 2 * threads ? 1 : Math.Clamp(Rows / LeastRowsInPart, 1, 2 * threads);
            var elements = Rows / panels.RowParts * Depth * (Columns / panels.Count);
            ElementParts.Run(panels, batch * panels.RowParts * panels.Count, elements, threads);
            return;
        }

        var pieces = (Rows + RowsInPiece - 1) / RowsInPiece;
        ElementParts.Run(this, batch * pieces, Math.Min(Rows, RowsInPiece) * Math.Max(1, Depth) * Columns, threads);
    }

    private readonly bool IsPacked =>
        typeof(T) == typeof(float) && !TransposedB && StepStride == 1 && RunTimeProduct.Pays(Rows, Depth, Columns);

    /// <summary>A matrix's panels, one after the other; where these are too few for the threads each for some of the rows.</summary>
    private struct Panels : IRangeWork
    {
        public MatrixProductWork<T> Product;
        public int Count;
        public nint RowParts;

        public readonly void Run(nint start, nint end)
        {
            for (var i = start; i < end; i++)
            {
                var (rest, panel) = Math.DivRem(i, Count);
                var (pair, part) = Math.DivRem(rest, RowParts);
                var (offsetA, offsetB) = Product.Batch.Offsets(pair, Product.Batch.Count);
                var first = Product.Rows * part / RowParts;
                var rows = (Product.Rows * (part + 1) / RowParts) - first;
                RunTimeProduct.RunPanel(
                    (float*)(Product.A + offsetA + (first * Product.RowStride)),
                    Product.RowStride,
                    (float*)(Product.B + offsetB),
                    (float*)(Product.Y + (((pair * Product.Rows) + first) * Product.Columns)),
                    rows,
                    (int)Product.Depth,
                    Product.Columns,
                    (int)panel,
                    SimdWidths.Best);
            }
        }
    }

    public readonly void Run(nint start, nint end)
    {
        var pieces = (Rows + RowsInPiece - 1) / RowsInPiece;
        for (var i = start; i < end; i++)
        {
            var (pair, piece) = Math.DivRem(i, pieces);
            var (offsetA, offsetB) = Batch.Offsets(pair, Batch.Count);
            var first = piece * RowsInPiece;
            var a = A + offsetA + (first * RowStride);
            RunRows(a, B + offsetB, Y + (((pair * Rows) + first) * Columns), Math.Min(RowsInPiece, Rows - first));
        }
    }

    private readonly void RunRows(T* a, T* b, T* y, nint rows)
    {
        if (typeof(T) == typeof(float) && !TransposedB)
        {
            PlainProduct.Run((float*)a, RowStride, StepStride, (float*)b, (float*)y, rows, Depth, Columns, SimdWidths.Best);
            return;
        }

        for (nint row = 0; row < rows; row++)
        {
            for (var n = 0; n < Columns; n++)
                y[(row * Columns) + n] = Dot(a + (row * RowStride), TransposedB ? b + (n * Depth) : b + n);
        }
    }

    private readonly T Dot(T* a, T* b)
    {
        var stepB = TransposedB ? 1 : (nint)Columns;
        if (typeof(T) == typeof(float) && StepStride == 1 && stepB == 1)
            return TensorPrimitives.Dot(new ReadOnlySpan<T>(a, (int)Depth), new ReadOnlySpan<T>(b, (int)Depth));
        if (typeof(T) == typeof(Half))
        {
            var sum = 0f;
            for (nint k = 0; k < Depth; k++)
                sum += float.CreateTruncating(a[k * StepStride]) * float.CreateTruncating(b[k * stepB]);
            return T.CreateSaturating(sum);
        }

        var total = T.Zero;
        for (nint k = 0; k < Depth; k++)
            total += a[k * StepStride] * b[k * stepB];
        return total;
    }
}
