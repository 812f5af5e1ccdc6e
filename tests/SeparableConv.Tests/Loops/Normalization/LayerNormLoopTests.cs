using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Normalization;

/// <summary>Rows brought to mean 0 and variance 1, on every vector width, beside plain loops in double precision.</summary>
public sealed unsafe class LayerNormLoopTests
{
    [Fact]
    public void Every_width_matches_double_precision()
    {
        foreach (var width in SimdWidths.All)
        {
            foreach (var length in new[] { 1, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 67, 130 })
            {
                Check(width, length, hasBias: false);
                Check(width, length, hasBias: true);
            }
        }
    }

    private static void Check(SimdWidth width, int length, bool hasBias)
    {
        const int Rows = 3;
        const float Epsilon = 1e-3f;
        var x = Array.ConvertAll(RandomData.Floats(Rows * length, 1), v => v + 5);
        var (scale, bias) = (RandomData.Floats(length, 2), RandomData.Floats(length, 3));
        var y = new float[x.Length];
        fixed (float* source = x, target = y, factors = scale, terms = bias)
        {
            var loop = new LayerNormLoop
            {
                X = source,
                Y = target,
                Scale = factors,
                Bias = hasBias ? terms : null,
                Length = length,
                Rows = Rows,
                Epsilon = Epsilon,
            };
            width.Dispatch(ref loop);
        }

        for (var i = 0; i < x.Length; i++)
        {
            var row = x.AsSpan(i / length * length, length).ToArray();
            var mean = row.Average(v => (double)v);
            var variance = row.Average(v => (v - mean) * (v - mean));
            var expected = ((x[i] - mean) / Math.Sqrt(variance + Epsilon) * scale[i % length]) + (hasBias ? bias[i % length] : 0);
            Assert.True(Math.Abs(expected - y[i]) <= 1e-4, $"{width}, {length}: {y[i]:R}, expected {expected:R}");
        }
    }
}
