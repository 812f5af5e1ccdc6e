using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Matrix;

public sealed unsafe class RunTimeProductTests
{
    public static TheoryData<int> Widths => [.. SimdWidths.All.Select(w => (int)w)];

    /// <summary>Columns around every vector length and number of panels, rows with gaps; packed or not, the bits are the same.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void Packed_panels_match_reference(int width)
    {
        foreach (var columns in new[] { 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 48, 63, 64, 65, 80, 97, 113 })
        {
            foreach (var (rows, depth) in new[] { (16, 1), (17, 3), (29, 64), (43, 37) })
            {
                var stride = depth + 2;
                var (a, b) = (RandomData.Floats(rows * stride, 1), RandomData.Floats(depth * columns, 2));
                var expected = new double[rows * columns];
                var magnitudes = new double[expected.Length];
                for (var i = 0; i < expected.Length; i++)
                {
                    for (var k = 0; k < depth; k++)
                    {
                        var product = (double)a[(i / columns * stride) + k] * b[(k * columns) + (i % columns)];
                        (expected[i], magnitudes[i]) = (expected[i] + product, magnitudes[i] + Math.Abs(product));
                    }
                }

                var (packed, plain) = (RandomData.Unwritten(rows * columns), RandomData.Unwritten(rows * columns));
                fixed (float* left = a, right = b, y = packed, z = plain)
                {
                    Assert.True(RunTimeProduct.Pays(rows, depth, columns));
                    for (var panel = RunTimeProduct.Panels(columns, (SimdWidth)width) - 1; panel >= 0; panel--)
                        RunTimeProduct.RunPanel(left, stride, right, y, rows, depth, columns, panel, (SimdWidth)width);
                    PlainProduct.Run(left, stride, 1, right, z, rows, depth, columns, (SimdWidth)width);
                }

                ErrorBound.Check(expected, magnitudes, packed, depth, $"{(SimdWidth)width} {rows}x{depth}x{columns}");
                Assert.Equal(plain, packed);
            }
        }
    }
}
