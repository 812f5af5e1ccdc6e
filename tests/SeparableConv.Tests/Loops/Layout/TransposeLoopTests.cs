using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Layout;

/// <summary>Rows become columns, in memory that ends where the data does.</summary>
public sealed unsafe class TransposeLoopTests
{
    [Fact]
    public void Planes_become_pixels_and_back()
    {
        foreach (var channels in new[] { 1, 2, 3, 4, 5, 8, 9 })
        {
            foreach (var pixels in new[] { 1, 3, 4, 5, 8, 11, 37 })
            {
                using var planes = new GuardedMemory(channels * pixels * sizeof(float), endsAtGuard: true);
                using var target = new GuardedMemory(channels * pixels * sizeof(float), endsAtGuard: true);
                using var back = new GuardedMemory(channels * pixels * sizeof(float), endsAtGuard: true);
                RandomData.Floats(channels * pixels, 1).CopyTo(planes.Span<float>());
                TransposeLoop.Run((float*)planes.Start, pixels, (float*)target.Start, channels, pixels, channels);
                for (var i = 0; i < channels * pixels; i++)
                    Assert.Equal(((float*)planes.Start)[(i % channels * pixels) + (i / channels)], ((float*)target.Start)[i]);
                TransposeLoop.Run((float*)target.Start, channels, (float*)back.Start, pixels, channels, pixels);
                Assert.Equal(planes.Span<float>(), back.Span<float>());
            }
        }
    }
}
