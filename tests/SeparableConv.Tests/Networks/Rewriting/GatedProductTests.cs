using SeparableConv.Tests.Networks.Inference;

namespace SeparableConv.Tests.Networks.Rewriting;

/// <summary>Smooth activations that exporters spell out become one, behind a convolution and before the next.</summary>
public class GatedProductTests
{
    private readonly GraphSketch _g = new();

    [Fact]
    public void A_value_times_its_sigmoid_is_a_swish()
    {
        var x = _g.Conv(_g.Input(1, 7, 6, 4), 3, 5);
        var y = _g.Conv(Mul(x, Activate(Activation.Sigmoid, x)), 3, 6);
        var scaled = Mul(_g.Constant([1.5f]), y);
        Assert.Equal("Conv2D Conv2D", _g.Check(Mul(Activate(Activation.Sigmoid, scaled), y)));
    }

    [Fact]
    public void Mish_is_a_product_with_a_tanh_of_softplus()
    {
        var x = _g.Conv(_g.Input(1, 7, 6, 4), 3, 5);
        var softplus = _g.Add(new UnaryOperator(UnaryKind.Softplus), x);
        Assert.Equal("Conv2D Conv2D", _g.Check(_g.Conv(Mul(x, Activate(Activation.Tanh, softplus)), 1, 6)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void GELU_is_found_in_any_order_of_its_factors(int order)
    {
        var x = _g.Conv(_g.Input(1, 7, 6, 4), 3, 5);
        var erf = _g.Add(new UnaryOperator(UnaryKind.Erf), Binary(BinaryKind.Div, x, _g.Constant([MathF.Sqrt(2)])));
        var gate = Binary(BinaryKind.Add, erf, _g.Constant([1f]));
        Assert.Equal("Conv2D Conv2D", _g.Check(_g.Conv(InOrder(order, x, gate), 3, 6)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void GELU_with_a_tanh_is_found_with_a_power_or_products(bool power)
    {
        var x = _g.Conv(_g.Input(1, 7, 6, 4), 3, 5);
        var cube = power ? Binary(BinaryKind.Pow, x, _g.Constant([3f])) : Mul(Mul(x, x), x);
        var bracket = Binary(BinaryKind.Add, x, Mul(cube, _g.Constant([0.044715f])));
        var tanh = Activate(Activation.Tanh, Mul(_g.Constant([0.7978846f]), bracket));
        var gate = Binary(BinaryKind.Add, _g.Constant([1f]), tanh);
        Assert.Equal("Conv2D Conv2D", _g.Check(_g.Conv(InOrder(0, x, gate), 1, 6)));
    }

    [Fact]
    public void Other_products_stay()
    {
        var x = _g.Input(1, 5, 6, 4);
        var other = Activate(Activation.Sigmoid, _g.Input(1, 5, 6, 4));
        var third = Binary(BinaryKind.Add, _g.Add(new UnaryOperator(UnaryKind.Erf), x), _g.Constant([1f]));
        Assert.DoesNotContain("Activation", _g.Check(InOrder(0, x, third)));
        Assert.Contains("Multiply", _g.Check(Mul(x, other)));
    }

    private Value InOrder(int order, Value x, Value gate)
    {
        var half = _g.Constant([0.5f]);
        return order switch
        {
            0 => Mul(Mul(x, gate), half),
            1 => Mul(x, Mul(half, gate)),
            _ => Mul(gate, Binary(BinaryKind.Div, x, _g.Constant([2f]))),
        };
    }

    private Value Mul(Value a, Value b) => Binary(BinaryKind.Mul, a, b);

    private Value Binary(BinaryKind kind, Value a, Value b) => _g.Add(new BinaryOperator(kind, Activation.None), a, b);

    private Value Activate(Activation activation, Value x) => _g.Add(new ActivationOperator(activation), x);
}
