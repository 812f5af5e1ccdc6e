using System.Numerics.Tensors;

namespace SeparableConv.Loops;

/// <summary>Adds up what parts of a loop have summed by themselves.</summary>
internal static unsafe class Partials
{
    // Blocks stay in the first-level cache while all parts are added to them.
    private const int BlockFloats = 2048;

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
}
