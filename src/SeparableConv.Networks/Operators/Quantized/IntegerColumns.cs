using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// What a zero point of the input changes in sums of bytes that were taken without it: sum[row, n] - zeroPoint[row] * column[n], where
/// column n is the sum of the weights that the sum was taken with.
/// </summary>
/// <param name="sums">For each output channel, the sum of its weights less their zero points.</param>
internal sealed unsafe class IntegerColumns(int[] sums)
{
    /// <summary>The columns of weights whose last dimension is the output channel.</summary>
    public static IntegerColumns Of(ReadOnlySpan<short> weights, int channels)
    {
        var sums = new int[channels];
        for (var first = 0; first < weights.Length; first += channels)
        {
            for (var c = 0; c < channels; c++)
                sums[c] += weights[first + c];
        }

        return new(sums);
    }

    /// <summary>Corrects all rows.</summary>
    public void Correct(int* rows, long count, ZeroPoints zeroPoints, int threads) => ElementParts.Run(
        new Work { Columns = sums, Rows = rows, ZeroPoints = zeroPoints }, count, sums.Length, threads);

    private struct Work : IRangeWork
    {
        public int[] Columns;
        public int* Rows;
        public ZeroPoints ZeroPoints;

        public readonly void Run(nint start, nint end)
        {
            var columns = Columns.AsSpan();
            for (var row = start; row < end; row++)
            {
                var zeroPoint = ZeroPoints[row];
                if (zeroPoint == 0)
                    continue;
                var sums = new Span<int>(Rows + (row * columns.Length), columns.Length);
                var c = 0;
                for (; c <= columns.Length - Vector<int>.Count; c += Vector<int>.Count)
                {
                    var corrected = new Vector<int>(sums[c..]) - (new Vector<int>(columns[c..]) * zeroPoint);
                    corrected.CopyTo(sums[c..]);
                }

                for (; c < columns.Length; c++)
                    sums[c] -= columns[c] * zeroPoint;
            }
        }
    }
}

/// <summary>Zero points in memory, int8 or uint8: one for all rows, or one a row; 0 where there are none.</summary>
/// <param name="Memory">The first.</param>
/// <param name="IsSigned">Whether they are int8.</param>
/// <param name="Step">0 for one, 1 for several.</param>
internal readonly unsafe record struct ZeroPoints(nint Memory, bool IsSigned, int Step)
{
    /// <summary>Those of a tensor, or none.</summary>
    public static ZeroPoints Of(TensorBuffer zeroPoint) => zeroPoint.IsPresent
        ? new((nint)zeroPoint.Memory, zeroPoint.Type.Element == ElementType.Int8, zeroPoint.Shape.ElementCount == 1 ? 0 : 1)
        : default;

    public int this[nint row] => Memory == 0 ? 0 : IsSigned ? ((sbyte*)Memory)[row * Step] : ((byte*)Memory)[row * Step];

    /// <summary>Those from a row on.</summary>
    public ZeroPoints From(nint row) => Memory == 0 ? this : this with { Memory = Memory + (row * Step) };
}
