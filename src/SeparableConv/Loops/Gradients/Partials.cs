using System.Numerics.Tensors;

namespace SeparableConv.Loops;

/// <summary>Adds up what parts of a loop have summed by themselves.</summary>
internal static unsafe class Partials
{
    // Blocks stay in the first-level cache while all parts are added to them.
    private const int BlockFloats = 2048;
    private const int BlockDoubles = 512;

    /// <summary>target = the sum of so many parts of <paramref name="count"/> floats, which begin a stride apart, in their order.</summary>
    public static void Add(float* first, nint stride, int parts, float* target, int count)
    {
        for (var at = 0; at < count; at += BlockFloats)
        {
            var length = Math.Min(BlockFloats, count - at);
            var sum = new Span<float>(target + at, length);
            new ReadOnlySpan<float>(first + at, length).CopyTo(sum);
            for (var part = 1; part < parts; part++)
                TensorPrimitives.Add(sum, new ReadOnlySpan<float>(first + (part * stride) + at, length), sum);
        }
    }

    /// <summary>
    /// Adds so many parts of <paramref name="count"/> floats, which begin a stride apart, in their order and in double precision; the
    /// sum is left where the first part was.
    /// </summary>
    public static void AddInDouble(float* first, nint stride, int parts, int count)
    {
        Span<double> sums = stackalloc double[BlockDoubles], terms = stackalloc double[BlockDoubles];
        for (var at = 0; at < count; at += BlockDoubles)
        {
            var length = Math.Min(BlockDoubles, count - at);
            var sum = sums[..length];
            sum.Clear();
            for (var part = 0; part < parts; part++)
            {
                TensorPrimitives.ConvertTruncating(new ReadOnlySpan<float>(first + (part * stride) + at, length), terms);
                TensorPrimitives.Add(sum, terms[..length], sum);
            }

            TensorPrimitives.ConvertTruncating<double, float>(sum, new Span<float>(first + at, length));
        }
    }
}
