namespace SeparableConv.Loops;

/// <summary>
/// The two operands of an <see cref="OuterProduct"/>: pairs of rows, in segments of equal length. Distances are in floats.
/// </summary>
internal unsafe struct OuterOperands
{
    /// <summary>The first float of the left operand.</summary>
    public float* Left;

    /// <summary>From one step to the next.</summary>
    public nint LeftStep;

    public float* Right;

    public nint RightStep;

    /// <summary>Where each segment begins in the left operand.</summary>
    public nint* LeftOffsets;

    /// <summary>Where each segment begins in the right operand.</summary>
    public nint* RightOffsets;

    public int Segments;

    /// <summary>Steps in each segment.</summary>
    public int Steps;
}

/// <summary>
/// A sum of outer products: sums[r, n] += sum over s, k of left[leftOffset[s] + k*leftStep + r] * right[rightOffset[s] + k*rightStep + n].
/// The driver of <see cref="OuterTile"/>, on the calling thread.
/// </summary>
internal static unsafe class OuterProduct
{
    /// <summary>Adds to (rows, columns) sums whose rows begin <paramref name="sumsStride"/> floats apart.</summary>
    /// <remarks>Few enough steps for both operands to stay in the second-level cache are the caller's to choose.</remarks>
    public static void Add(in OuterOperands operands, float* sums, nint sumsStride, int rows, int columns, SimdWidth width)
    {
        var table = OuterTileTable.For(Narrowest(columns, width));
        var v = table.VectorLength;
        var vectors = (columns + v - 1) / v;
        var arguments = new OuterArguments { Operands = operands, SumsStride = sumsStride };
        for (var vector = 0; vector < vectors;)
        {
            // The last vector overlaps its neighbour within a tile, so that no sum is added to by two.
            var count = vectors - vector is 1 or 3 ? vectors - vector : 2;
            var first = vector * v;
            vector += count;
            arguments.LastVectorOffset = (vector == vectors ? columns - v : (vector - 1) * v) - first;
            arguments.Operands.Right = operands.Right + first;
            var most = table.RowsFor(count);
            var tiles = (rows + most - 1) / most;
            var row = 0;
            for (var t = 0; t < tiles; t++)
            {
                var height = (rows / tiles) + (t < rows % tiles ? 1 : 0);
                arguments.Operands.Left = operands.Left + row;
                arguments.Sums = sums + (row * sumsStride) + first;
                table.Run(count, height, &arguments);
                row += height;
            }
        }
    }

    // A single vector has no neighbour to overlap; of two half filled ones a narrower third does less.
    private static SimdWidth Narrowest(int columns, SimdWidth width)
    {
        while (width > SimdWidth.Scalar && (columns < (int)width || (columns < 2 * (int)width && columns % (int)width is > 0 and var rest
            && rest <= (int)width / 2)))
        {
            width = width == SimdWidth.V128 ? SimdWidth.Scalar : (SimdWidth)((int)width / 2);
        }

        return width;
    }
}
