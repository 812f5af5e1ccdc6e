namespace SeparableConv.Tests.Support;

/// <summary>
/// What rounding in F(2x2, 3x3) is relative to: the same sums as the transforms make, all numbers and all coefficients without
/// their signs. It is at least sum |x*w| of the pixel, and counts the whole 4x4 patch of its tile.
/// </summary>
internal static class WinogradMagnitudes
{
    private static readonly double[][] Input = [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]];
    private static readonly double[][] Weights = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 1]];
    private static readonly double[][] Output = [[1, 1, 1, 0], [0, 1, 1, 1]];

    /// <summary>One number for each of (N, outH, outW, O).</summary>
    public static double[] Run(ConvGeometry g, float[] input, float[] weights, float[] bias)
    {
        var (rows, columns, channels, filters) = (g.Rows, g.Columns, g.InChannels, g.OutChannels);
        var result = new double[g.Batch * rows.Out * columns.Out * filters];
        for (var o = 0; o < filters; o++)
        {
            var kernels = Enumerable.Range(0, channels)
                .Select(c => Transform(Weights, 3, (u, v) => Math.Abs(weights[(((((u * 3) + v) * channels) + c) * filters) + o])))
                .ToArray();
            for (var n = 0; n < g.Batch; n++)
            {
                for (var top = 0; top < rows.Out; top += 2)
                {
                    for (var left = 0; left < columns.Out; left += 2)
                        AddTile(n, top, left, o, kernels);
                }
            }
        }

        return result;

        void AddTile(int n, int top, int left, int o, double[][] kernels)
        {
            var products = new double[16];
            for (var c = 0; c < channels; c++)
            {
                var patch = Transform(Input, 4, (u, v) => Pixel(n, rows.InputStart(top) + u, columns.InputStart(left) + v, c));
                for (var i = 0; i < 16; i++)
                    products[i] += patch[i] * kernels[c][i];
            }

            var sums = Transform(Output, 4, (u, v) => products[(u * 4) + v]);
            for (var y = top; y < Math.Min(top + 2, rows.Out); y++)
            {
                for (var x = left; x < Math.Min(left + 2, columns.Out); x++)
                    result[(((((n * rows.Out) + y) * columns.Out) + x) * filters) + o] =
                        sums[((y - top) * 2) + x - left] + Math.Abs(bias[o]);
            }
        }

        double Pixel(int n, int y, int x, int c) => y < 0 || x < 0 || y >= rows.In || x >= columns.In
            ? 0
            : Math.Abs(input[(((((n * rows.In) + y) * columns.In) + x) * channels) + c]);
    }

    /// <summary>matrix * square * matrix', row after row.</summary>
    private static double[] Transform(double[][] matrix, int size, Func<int, int, double> square)
    {
        var result = new double[matrix.Length * matrix.Length];
        for (var i = 0; i < matrix.Length; i++)
        {
            for (var j = 0; j < matrix.Length; j++)
            {
                for (var u = 0; u < size; u++)
                {
                    for (var v = 0; v < size; v++)
                        result[(i * matrix.Length) + j] += matrix[i][u] * square(u, v) * matrix[j][v];
                }
            }
        }

        return result;
    }
}
