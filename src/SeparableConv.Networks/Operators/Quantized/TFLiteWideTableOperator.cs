using System.Numerics;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The same real numbers in another width or on another scale, within a clamp: int16 with zero point 0 -> int16, int8 or uint8, or bytes ->
/// int16. QUANTIZE between widths, and ReLU and its like of int16.
/// </summary>
internal sealed class TFLiteWideRequantizeOperator(
    ElementType element, Quantization output, int clampMin, int clampMax, bool singlePrecision)
    : TFLiteWideTableOperator(element, output)
{
    public override string Kind => "Requantize";

    private protected override Func<int, int> Function(Quantization input)
    {
        var ratio = QuantizedTypes.Multiplier(singlePrecision ? input.Scale / Output.Scale : (double)input.Scale / Output.Scale);
        return q => Math.Clamp(ratio.Multiply(q - input.ZeroPoint) + Output.ZeroPoint, clampMin, clampMax);
    }
}

/// <summary>y = x where x is 0 or more, alpha*x below, of quantized int16.</summary>
internal sealed class TFLiteWideLeakyReluOperator(float alpha, Quantization output) : TFLiteWideTableOperator(ElementType.Int16, output)
{
    public override string Kind => "QuantizedLeakyRelu";

    private protected override Func<int, int> Function(Quantization input)
    {
        // Single-precision arithmetic, as in the reference.
        var positive = QuantizedTypes.Multiplier(input.Scale / Output.Scale);
        var negative = QuantizedTypes.Multiplier(input.Scale * alpha / Output.Scale);
        return q => (q >= 0 ? positive : negative).Multiply(q);
    }
}

/// <summary>
/// Logistic or tanh of quantized int16, as TensorFlow Lite's reference kernels interpolate it in a table of 256 values of the logistic
/// function from 0 to 10 2/3. Scales are brought to 1/(3*4096) first; the output has scale 1/32768.
/// </summary>
internal sealed class TFLiteWideSigmoidOperator(bool isTanh, Quantization output) : TFLiteWideTableOperator(ElementType.Int16, output)
{
    public override string Kind => isTanh ? "QuantizedTanh" : "QuantizedLogistic";

    // 65536 / (1 + e^-(i/24)), near enough, for i from 0 on: the reference's numbers, which are not rounded evenly.
    private static ReadOnlySpan<ushort> Table =>
    [
        32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688,
        43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409,
        51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
        57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110,
        61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186,
        63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
        64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900,
        64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208,
        65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
        65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449,
        65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
        65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
        65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
        65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530,
        65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
        65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
    ];

    private protected override Func<int, int> Function(Quantization input)
    {
        if (Output.Scale != 1f / 32768)
            throw new ArgumentException($"The output has {Output}; logistic and tanh of int16 have scale 1/32768.");
        var (multiplier, shift) = Scaled(input.Scale);
        var round = shift > 0 ? 1 << (shift - 1) : 0;
        return q =>
        {
            var x = ((q * multiplier) + round) >> shift;
            return isTanh ? Tanh(x) : Logistic(x);
        };
    }

    // The factor to 1/(3*4096), or to a power of two near it where the scale is one: then 3 is all that is left.
    private (int Multiplier, int Shift) Scaled(float scale)
    {
        var power = Math.Round(Math.Log2(scale));
        var isPower = Math.Abs(Math.Log2(scale) - power) < 1e-3;
        var left = (int)(12 + power);
        if (isPower && (left == 0 || (isTanh && left == 1)))
            return (3 << left, 0);
        double multiplier = scale * 4096.0 * 3.0;
        var shift = 0;
        for (; multiplier <= 32767.0 / 2 && shift <= 30; shift++)
            multiplier *= 2;
        if (multiplier > int.MaxValue / 65536)
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The input has scale {scale}, which is too large for a fixed-point function."));
        }

        return ((int)multiplier, shift);
    }

    private static int Logistic(int x)
    {
        var magnitude = (uint)Math.Abs(x);
        var place = magnitude >> 9;
        var result = place >= 255
            ? 0x7FFFu << 10
            : ((uint)Table[(int)place] << 9) + ((magnitude & 0x1FF) * (uint)(Table[(int)place + 1] - Table[(int)place]));
        result = x >= 0 ? result + (1 << 9) : (1 << 25) - result + (1 << 9) - 1;
        return (int)(result >> 10);
    }

    private static int Tanh(int x)
    {
        var magnitude = (uint)Math.Abs(x);
        var place = magnitude >> 8;
        var result = place >= 255
            ? 0xFFFF << 8
            : (int)(((uint)Table[(int)place] << 8) + ((magnitude & 0xFF) * (uint)(Table[(int)place + 1] - Table[(int)place])));
        result = x >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1;
        return result >> 8;
    }
}

/// <summary>
/// A function of single quantized numbers of which the input or the output has 16 bits, looked up in a table of all inputs there are.
/// </summary>
internal abstract unsafe class TFLiteWideTableOperator(ElementType element, Quantization output) : QuantizedOperator
{
    public Quantization Output { get; } = output;

    internal sealed override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var input = OperatorChecks.Required(inputs, 0, "input");
        input = input.Element.IsByte() ? QuantizedTypes.Required(inputs, 0, "input") : QuantizedTypes.RequiredWide(inputs, 0, "input");
        if (element == ElementType.Int16)
            QuantizedTypes.CheckWide(Output, "output");
        else
            QuantizedTypes.CheckPerTensor(Output, element, "output");
        _ = Function(input.Quantization!);
        return [new(element, input.Shape, Output)];
    }

    internal sealed override OperatorCost Cost(Node node) => new(0, node.Outputs[0].Type.Shape.ElementCount);

    /// <summary>The function from an input element to an output element; what is out of the element's range is clamped to it.</summary>
    /// <exception cref="ArgumentException">The quantizations do not fit.</exception>
    private protected abstract Func<int, int> Function(Quantization input);

    private protected sealed override Step Prepare(TensorType[] inputs, TensorType outputType)
    {
        var (from, function) = (inputs[0].Element, Function(inputs[0].Quantization!));
        var (least, most) = QuantizedTypes.Range(from);
        var (low, high) = QuantizedTypes.Range(element);
        var table = new short[most - least + 1];
        for (var q = least; q <= most; q++)
            table[q - least] = (short)Math.Clamp(function(q), low, high);
        return (from, element) switch
        {
            (ElementType.Int16, ElementType.Int16) => new TableStep<short, short>(table, least),
            (ElementType.Int16, ElementType.Int8) => new TableStep<short, sbyte>(table, least),
            (ElementType.Int16, _) => new TableStep<short, byte>(table, least),
            (ElementType.Int8, _) => new TableStep<sbyte, short>(table, least),
            _ => new TableStep<byte, short>(table, least),
        };
    }

    private sealed class TableStep<TIn, TOut>(short[] table, int least) : Step
        where TIn : unmanaged, IBinaryInteger<TIn>
        where TOut : unmanaged, IBinaryInteger<TOut>
    {
        public override void Run(ForwardContext context)
        {
            var x = context.Inputs[0].Span<TIn>();
            var y = context.Outputs[0].Span<TOut>();
            for (var i = 0; i < x.Length; i++)
                y[i] = TOut.CreateTruncating(table[int.CreateTruncating(x[i]) - least]);
        }
    }
}
