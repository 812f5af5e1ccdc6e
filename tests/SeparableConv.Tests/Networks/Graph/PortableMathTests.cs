namespace SeparableConv.Tests.Networks;

public sealed class PortableMathTests
{
    [Fact]
    public void Logarithms_and_powers_are_those_of_2()
    {
        for (var x = 1.0; x > 1e-300; x *= 0.937)
            Assert.Equal(Math.Log2(x), PortableMath.Log2(x), Math.Max(1, Math.Abs(Math.Log2(x))) * 4e-16);
        for (var x = 0.0; x > -1021; x -= 0.0631)
            Assert.Equal(1, PortableMath.Exp2(x) / Math.Pow(2, x), 1e-15);
        Assert.Equal((1, 0.5, 0.0625), (PortableMath.Exp2(0), PortableMath.Exp2(-1), PortableMath.Exp2(-4)));
        Assert.Equal((0, -1, -4), (PortableMath.Log2(1), PortableMath.Log2(0.5), PortableMath.Log2(0.0625)));
        Assert.Equal(0, PortableMath.Exp2(-5000));
    }
}
