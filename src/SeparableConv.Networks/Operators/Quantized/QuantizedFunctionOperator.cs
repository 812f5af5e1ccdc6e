namespace SeparableConv.Networks.Operators;

/// <summary>The functions that <see cref="QuantizedFunctionOperator"/> has.</summary>
internal enum QuantizedFunction
{
    /// <summary>1 / (1 + e^-x).</summary>
    Logistic,

    /// <summary>The hyperbolic tangent.</summary>
    Tanh,
}

/// <summary>
/// Logistic or tanh of quantized bytes, as TensorFlow Lite fills its tables: the real input and the function in single precision,
/// times 1/scale, rounded half away from zero.
/// </summary>
internal sealed class QuantizedFunctionOperator(QuantizedFunction function, ElementType element, Quantization output) : ByteTableOperator(element, output)
{
    public override string Kind => $"Quantized{function}";

    private protected override Func<int, int> Function(Quantization input)
    {
        var inverse = 1 / Output.Scale;
        return q =>
        {
            var x = input.Scale * (q - input.ZeroPoint);
            var y = function == QuantizedFunction.Tanh ? MathF.Tanh(x) : 1 / (1 + MathF.Exp(-x));
            return (int)(MathF.Round(y * inverse, MidpointRounding.AwayFromZero) + Output.ZeroPoint);
        };
    }
}
