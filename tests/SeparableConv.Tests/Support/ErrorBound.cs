namespace SeparableConv.Tests.Support;

/// <summary>The bound that every fast path keeps: |y - reference| is at most c * K * eps * sum |x*w|, K the terms in a sum.</summary>
internal static class ErrorBound
{
    private const double Epsilon = 1.0 / (1 << 24);

    /// <summary>Fails where an element is off by more than rounding explains.</summary>
    /// <param name="expected">In double precision.</param>
    /// <param name="magnitudes">sum |x*w| of each element.</param>
    /// <param name="actual">What a fast path gave.</param>
    /// <param name="terms">K.</param>
    /// <param name="what">Named in the failure.</param>
    public static void Check(
        ReadOnlySpan<double> expected, ReadOnlySpan<double> magnitudes, ReadOnlySpan<float> actual, int terms, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var bound = (2 * (terms + 1) * Epsilon * magnitudes[i]) + float.Epsilon;
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= bound,
                $"{what}: element {i} is {actual[i]:R}, the reference {expected[i]:R}; off by {Math.Abs(expected[i] - actual[i]):E2}, "
                + $"allowed {bound:E2}.");
        }
    }
}
