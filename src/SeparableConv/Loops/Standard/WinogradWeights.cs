namespace SeparableConv.Loops;

/// <summary>
/// The weights' side of <see cref="WinogradLoop"/>: U = GwG' for each channel and filter, with
/// G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1], computed in double and rounded once; 16 matrices (C, O), packed.
/// </summary>
internal static class WinogradWeights
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
        var count = checked(inChannels * outChannels);
        var transformed = new float[count];
        for (var plane = 0; plane < matrices.Length; plane++)
        {
            var (row, column) = Math.DivRem(plane, WinogradTiles.InputSide);
            for (var i = 0; i < count; i++)
            {
                transformed[i] = (float)Combine(
                    row,
                    Combine(column, weights[i], weights[count + i], weights[(2 * count) + i]),
                    Combine(column, weights[(3 * count) + i], weights[(4 * count) + i], weights[(5 * count) + i]),
                    Combine(column, weights[(6 * count) + i], weights[(7 * count) + i], weights[(8 * count) + i]));
            }

            matrices[plane] = new PackedMatrix(
                transformed, outChannels, inChannels, outChannels, plane == BiasPlane ? bias : default, width, segmentLength: inChannels);
        }

        return matrices;
    }

    /// <summary>A row of G times three numbers.</summary>
    private static double Combine(int row, double a, double b, double c) => row switch
    {
        0 => a,
        1 => (a + b + c) / 2,
        2 => (a - b + c) / 2,
        _ => c,
    };
}
