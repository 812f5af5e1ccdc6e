using System.Numerics;
using SeparableConv.Threading;

namespace SeparableConv.Loops;

/// <summary>
/// The weights' side of <see cref="WinogradLoop"/>: U = GwG' for each channel and filter, with
/// G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1], computed in double and rounded once; 16 matrices (C, O), packed.
/// </summary>
internal static unsafe class WinogradWeights
{
    // The product of row 1 and column 1 is added to each of a tile's four pixels: it brings the bias.
    private const int BiasPlane = 5;

    /// <param name="weights">(3, 3, C, O).</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="width">The vector width to run with.</param>
    /// <returns>A matrix for each number of a transformed tile, row after row.</returns>
    public static PackedMatrix[] Pack(
        ReadOnlySpan<float> weights, int inChannels, int outChannels, ReadOnlySpan<float> bias, SimdWidth width)
    {
        var matrices = new PackedMatrix[WinogradTiles.Planes];
        var transformed = new float[checked(inChannels * outChannels)];
        for (var plane = 0; plane < matrices.Length; plane++)
        {
            Transform(plane, weights, transformed);
            matrices[plane] = new PackedMatrix(
                transformed, outChannels, inChannels, outChannels, plane == BiasPlane ? bias : default, width, segmentLength: inChannels);
        }

        return matrices;
    }

    /// <summary>
    /// The same into matrices that are there; <paramref name="transformed"/> is working memory of 16*C*O floats. Threads share the planes.
    /// </summary>
    public static void Fill(
        PackedMatrix[] matrices, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, float* transformed, int threads)
    {
        fixed (float* weightsAt = weights, biasAt = bias)
        {
            var work = new FillWork
            {
                Matrices = matrices,
                Weights = weightsAt,
                Count = weights.Length,
                Bias = biasAt,
                BiasCount = bias.Length,
                Transformed = transformed,
            };
            WorkerPool.Shared.Run(ref work, matrices.Length, threads);
        }
    }

    private struct FillWork : IParallelWork
    {
        public PackedMatrix[] Matrices;
        public float* Weights;
        public int Count;
        public float* Bias;
        public int BiasCount;
        public float* Transformed;

        public readonly void Execute(int part)
        {
            var matrix = Matrices[part];
            var plane = new Span<float>(Transformed + (part * (nint)matrix.Depth * matrix.Columns), matrix.Depth * matrix.Columns);
            Transform(part, new ReadOnlySpan<float>(Weights, Count), plane);
            matrix.Fill(plane, matrix.Columns, part == BiasPlane ? new ReadOnlySpan<float>(Bias, BiasCount) : default);
        }
    }

    // In double precision, two vectors of which make one of floats.
    private static void Transform(int plane, ReadOnlySpan<float> weights, Span<float> transformed)
    {
        var count = transformed.Length;
        var (row, column) = Math.DivRem(plane, WinogradTiles.InputSide);
        var at = 0;
        for (; at + Vector<float>.Count <= count; at += Vector<float>.Count)
        {
            var (a, b, c) = (Taps(weights, 0, at, count, column), Taps(weights, 3, at, count, column), Taps(weights, 6, at, count, column));
            Vector.Narrow(Combine(row, a.Low, b.Low, c.Low), Combine(row, a.High, b.High, c.High)).CopyTo(transformed[at..]);
        }

        for (; at < count; at++)
        {
            transformed[at] = (float)Combine(
                row,
                Combine(column, weights[at], weights[count + at], weights[(2 * count) + at]),
                Combine(column, weights[(3 * count) + at], weights[(4 * count) + at], weights[(5 * count) + at]),
                Combine(column, weights[(6 * count) + at], weights[(7 * count) + at], weights[(8 * count) + at]));
        }
    }

    // A row of the kernel times a column of G', for a vector of channels and filters.
    private static (Vector<double> Low, Vector<double> High) Taps(ReadOnlySpan<float> weights, int tap, int at, int count, int column)
    {
        Vector.Widen(new Vector<float>(weights[((tap * count) + at)..]), out var lowA, out var highA);
        Vector.Widen(new Vector<float>(weights[(((tap + 1) * count) + at)..]), out var lowB, out var highB);
        Vector.Widen(new Vector<float>(weights[(((tap + 2) * count) + at)..]), out var lowC, out var highC);
        return (Combine(column, lowA, lowB, lowC), Combine(column, highA, highB, highC));
    }

    /// <summary>A row of G times three numbers.</summary>
    private static double Combine(int row, double a, double b, double c) => row switch
    {
        0 => a,
        1 => (a + b + c) / 2,
        2 => (a - b + c) / 2,
        _ => c,
    };

    private static Vector<double> Combine(int row, Vector<double> a, Vector<double> b, Vector<double> c) => row switch
    {
        0 => a,
        1 => (a + b + c) * 0.5,
        2 => (a - b + c) * 0.5,
        _ => c,
    };
}
