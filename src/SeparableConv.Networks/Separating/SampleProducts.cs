using System.Numerics;
using System.Numerics.Tensors;
using SeparableConv.Loops;
using SeparableConv.Threading;

namespace SeparableConv.Networks.Separating;

/// <summary>
/// Sums over many samples of products of two vectors, left'*right, in floats for some samples at a time and then in doubles.
/// </summary>
/// <remarks>Each tile of the result is one thread's, and its samples come in their order: the bits do not depend on the threads.</remarks>
internal static class SampleProducts
{
    private const int Tile = 128;
    private const int SamplesTogether = 256;

    // From one sample of a tile to the next: a power of two would bring all of them to the same few places of a cache.
    private const int Step = Tile + 16;

    [ThreadStatic]
    private static float[]? t_left;

    [ThreadStatic]
    private static float[]? t_right;

    /// <summary>(leftWidth, rightWidth) sums of left[n, i]*right[n, j] over n.</summary>
    /// <param name="left">(samples, leftWidth).</param>
    /// <param name="leftWidth">Numbers of a vector.</param>
    /// <param name="right">(samples, rightWidth).</param>
    /// <param name="rightWidth">Numbers of a vector.</param>
    /// <param name="samples">How many.</param>
    /// <param name="isLower">Whether only what lies on and below the diagonal is wanted; what lies above may stay 0.</param>
    /// <param name="threads">Threads to use.</param>
    public static unsafe double[] Sum(
        float[] left, int leftWidth, float[] right, int rightWidth, int samples, bool isLower, int threads)
    {
        var sums = new double[checked(leftWidth * rightWidth)];
        fixed (float* a = left, b = right)
        {
            var work = new Work
            {
                Left = a,
                Right = b,
                LeftWidth = leftWidth,
                RightWidth = rightWidth,
                Samples = samples,
                IsLower = isLower,
                Columns = (rightWidth + Tile - 1) / Tile,
                Sums = sums,
            };
            WorkerPool.Shared.Run(ref work, work.Columns * ((leftWidth + Tile - 1) / Tile), threads);
        }

        return sums;
    }

    /// <summary>The mean of each number of a vector.</summary>
    public static double[] Mean(float[] samples, int width, int count)
    {
        var (mean, some) = (new double[width], new float[width]);
        for (var first = 0; first < count; first += SamplesTogether)
        {
            Array.Clear(some);
            for (var n = first; n < Math.Min(count, first + SamplesTogether); n++)
                TensorPrimitives.Add(some, samples.AsSpan(n * width, width), some);
            for (var i = 0; i < width; i++)
                mean[i] += some[i];
        }

        TensorPrimitives.Divide(mean, count, mean);
        return mean;
    }

    /// <summary>Makes sums of products covariances: sums/samples - leftMean*rightMean'.</summary>
    public static void Center(double[] sums, double[] leftMean, double[] rightMean, int samples)
    {
        var width = rightMean.Length;
        for (var i = 0; i < leftMean.Length; i++)
        {
            for (var j = 0; j < width; j++)
                sums[(i * width) + j] = (sums[(i * width) + j] / samples) - (leftMean[i] * rightMean[j]);
        }
    }

    private unsafe struct Work : IParallelWork
    {
        public float* Left;
        public float* Right;
        public int LeftWidth;
        public int RightWidth;
        public int Samples;
        public bool IsLower;
        public int Columns;
        public double[] Sums;

        public readonly void Execute(int part)
        {
            var (row, column) = (part / Columns * Tile, part % Columns * Tile);
            if (IsLower && column > row + Tile - 1)
                return;
            var (rows, columns) = (Math.Min(Tile, LeftWidth - row), Math.Min(Tile, RightWidth - column));
            var some = new float[rows * columns];
            var (left, right) = (t_left ??= new float[SamplesTogether * Step], t_right ??= new float[SamplesTogether * Step]);
            nint zero = 0;
            fixed (float* target = some, a = left, b = right)
            {
                var operands = new OuterOperands
                {
                    Left = a,
                    LeftStep = Step,
                    Right = b,
                    RightStep = Step,
                    LeftOffsets = &zero,
                    RightOffsets = &zero,
                    Segments = 1,
                };
                for (var first = 0; first < Samples; first += SamplesTogether)
                {
                    operands.Steps = Math.Min(SamplesTogether, Samples - first);
                    Gather(Left + ((nint)first * LeftWidth) + row, LeftWidth, operands.Steps, rows, left);
                    Gather(Right + ((nint)first * RightWidth) + column, RightWidth, operands.Steps, columns, right);
                    Array.Clear(some);
                    OuterProduct.Add(operands, target, columns, rows, columns, SimdWidths.Best);
                    for (var i = 0; i < rows; i++)
                        Add(some.AsSpan(i * columns, columns), Sums.AsSpan(((row + i) * RightWidth) + column, columns));
                }
            }
        }

        private static void Add(ReadOnlySpan<float> some, Span<double> sums)
        {
            var i = 0;
            for (; i <= some.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(new Vector<float>(some[i..]), out var low, out var high);
                (new Vector<double>(sums[i..]) + low).CopyTo(sums[i..]);
                (new Vector<double>(sums[(i + Vector<double>.Count)..]) + high).CopyTo(sums[(i + Vector<double>.Count)..]);
            }

            for (; i < some.Length; i++)
                sums[i] += some[i];
        }

        // Rows that lie far from each other in memory would push each other out of the cache.
        private static void Gather(float* from, nint step, int count, int width, float[] to)
        {
            for (var n = 0; n < count; n++)
                new ReadOnlySpan<float>(from + (n * step), width).CopyTo(to.AsSpan(n * Step));
        }
    }
}
