using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops;

public class SimdWidthTests
{
    /// <summary>Guards the run of .ci/run on 256 bits, which under a wrong variable would be one more on 512.</summary>
    [Fact]
    public void The_width_is_none_that_the_environment_forbids() =>
        Assert.True(
            TestEnvironment.IsAvx512Wanted || SimdWidths.Best != SimdWidth.V512, "DOTNET_EnableAVX512 is 0, but the runtime uses AVX-512.");

    [Theory]
    [InlineData(16, 1, 1)]
    [InlineData(16, 3, 1)]
    [InlineData(16, 4, 4)]
    [InlineData(16, 15, 8)]
    [InlineData(16, 16, 16)]
    [InlineData(8, 100, 8)]
    [InlineData(1, 100, 1)]
    public void A_width_for_channels_has_no_more_lanes_than_there_are(int most, int channels, int expected) =>
        Assert.Equal((SimdWidth)expected, SimdWidths.ForChannels((SimdWidth)most, channels));
}
