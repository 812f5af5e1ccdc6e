using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Quantized;

/// <summary>A random quantized layer and what plain loops make of it.</summary>
internal sealed class QuantizedCase
{
    private readonly int _groupChannels;
    private readonly bool _isDepthwise;

    /// <summary>Numbers for a convolution; where depthwise, the geometry's groups are its channels.</summary>
    public QuantizedCase(ConvGeometry g, bool isDepthwise, int seed)
    {
        var random = new Random(seed);
        (Geometry, _isDepthwise) = (g, isDepthwise);
        _groupChannels = isDepthwise ? 1 : g.InChannels / g.Groups;
        var taps = g.Rows.Kernel * g.Columns.Kernel * _groupChannels;
        var isSigned = random.Next(2) == 0;
        InputLayer = new(isSigned, random.Next(5) == 0 ? (isSigned ? -128 : 255) : isSigned ? random.Next(-128, 128) : random.Next(256));
        Input = new byte[g.Batch * g.Rows.In * g.Columns.In * g.InChannels];
        random.NextBytes(Input);

        // Weights of int8 have zero point 0, of uint8 any: less it they go from -255 to 255.
        var shift = random.Next(3) == 0 ? random.Next(256) : 128;
        Weights = new short[taps * g.OutChannels];
        foreach (ref var w in Weights.AsSpan())
            w = (short)(random.Next(256) - shift);
        Bias = random.Next(4) == 0 ? [] : new int[g.OutChannels];
        foreach (ref var b in Bias.AsSpan())
            b = random.Next(-20000, 20000);

        // Most sums land inside the bytes; some layers shift left, or hardly at all, or to nothing.
        var typical = 60 / (Math.Sqrt(taps) * 75 * 75);
        var scale = random.Next(8) switch { 0 => 1000, 1 => 1e-4, 2 => 1e6, _ => 1.0 } * typical;
        Factors = new double[random.Next(3) == 0 ? 1 : g.OutChannels];
        foreach (ref var factor in Factors.AsSpan())
            factor = scale * (0.1 + (2 * random.NextDouble()));

        var outSigned = random.Next(2) == 0;
        var (least, most) = outSigned ? (-128, 127) : (0, 255);
        var zeroPoint = random.Next(3) == 0 ? least : random.Next(least, most + 1);
        var rounding = random.Next(2) == 0 ? Requantization.FixedPoint : Requantization.Float;
        if (rounding == Requantization.Float)
            Factors = Array.ConvertAll(Factors, factor => (double)(float)factor);
        var relu = random.Next(3);
        Output = new(rounding, outSigned, zeroPoint, relu == 0 ? least : zeroPoint, relu == 2 ? random.Next(zeroPoint, most + 1) : most);
    }

    public ConvGeometry Geometry { get; }

    public QuantizedInput InputLayer { get; init; }

    public byte[] Input { get; init; }

    public short[] Weights { get; init; }

    public int[] Bias { get; init; }

    public double[] Factors { get; init; }

    public QuantizedOutput Output { get; init; }

    public int OutputLength => Geometry.Batch * Geometry.Rows.Out * Geometry.Columns.Out * Geometry.OutChannels;

    public QuantizedLayer Layer => new() { Weights = Weights, Bias = Bias, Input = InputLayer, Factors = Factors, Output = Output };

    public override string ToString() => $"{Geometry}, {InputLayer}, {Output}, {Factors.Length} factors from {Factors[0]}";

    /// <summary>The same layer without requantization: its output is the int32 sums.</summary>
    public QuantizedLayer SumsLayer => new()
    {
        Weights = Weights,
        Bias = Bias,
        Input = InputLayer,
        Factors = [1],
        Output = new(Requantization.None, true, 0, 0, 0),
    };

    /// <summary>The sums.</summary>
    public int[] ExpectedSums() => Outputs(Sum);

    /// <summary>The output bytes.</summary>
    public byte[] Expected() => Outputs((n, i, j, o) => Requantize(Sum(n, i, j, o), o));

    private T[] Outputs<T>(Func<int, int, int, int, T> compute)
    {
        var g = Geometry;
        var output = new T[OutputLength];
        var at = 0;
        for (var n = 0; n < g.Batch; n++)
        {
            for (var i = 0; i < g.Rows.Out; i++)
            {
                for (var j = 0; j < g.Columns.Out; j++)
                {
                    for (var o = 0; o < g.OutChannels; o++)
                        output[at++] = compute(n, i, j, o);
                }
            }
        }

        return output;
    }

    public byte Requantize(int sum, int o)
    {
        var factor = Factors[Factors.Length == 1 ? 0 : o];
        var scaled = Output.Rounding == Requantization.FixedPoint
            ? FixedPointMultiplier.Create(factor).Multiply(sum)
            : (int)Math.Clamp(MathF.Round(sum * (float)factor, MidpointRounding.ToEven), -100000, 100000);
        return (byte)Math.Clamp(scaled + Output.ZeroPoint, Output.ClampMin, Output.ClampMax);
    }

    private int Sum(int n, int i, int j, int o)
    {
        var g = Geometry;
        var sum = Bias.Length == 0 ? 0 : Bias[o];
        var firstChannel = _isDepthwise ? o / (g.OutChannels / g.InChannels) : o / (g.OutChannels / g.Groups) * _groupChannels;
        for (var u = 0; u < g.Rows.Kernel; u++)
        {
            for (var v = 0; v < g.Columns.Kernel; v++)
            {
                var (y, x) = (g.Rows.InputStart(i) + (u * g.Rows.Dilation), g.Columns.InputStart(j) + (v * g.Columns.Dilation));
                if (y < 0 || x < 0 || y >= g.Rows.In || x >= g.Columns.In)
                    continue;
                for (var c = 0; c < _groupChannels; c++)
                {
                    var value = Input[(((((n * g.Rows.In) + y) * g.Columns.In) + x) * g.InChannels) + firstChannel + c];
                    var number = (InputLayer.IsSigned ? (sbyte)value : (int)value) - InputLayer.ZeroPoint;
                    sum += number * Weights[(((((u * g.Columns.Kernel) + v) * _groupChannels) + c) * g.OutChannels) + o];
                }
            }
        }

        return sum;
    }

    /// <summary>The loop's output bytes.</summary>
    public unsafe byte[] Run(SimdWidth width, int threads, bool? byteQuads)
    {
        var output = new byte[OutputLength];
        fixed (byte* x = Input, y = output)
            Run(x, y, width, threads, byteQuads);
        return output;
    }

    /// <summary>The same, in given memory.</summary>
    public unsafe void Run(byte* input, byte* output, SimdWidth width, int threads, bool? byteQuads)
    {
        var g = Geometry;
        if (_isDepthwise)
            new QuantizedDepthwiseLoop(Layer, g, width).Run(input, output, threads);
        else
            new QuantizedConvLoop(Layer, g.Kernel, g.InChannels, g.OutChannels, g.Groups, width, byteQuads).Run(input, output, g, threads);
    }

    /// <summary>
    /// Fails where the loop's bytes are not the plain loops', in lanes of pairs, of four bytes, and as the machine would have it.
    /// </summary>
    public void Check(SimdWidth width, int threads = 1, bool guarded = false)
    {
        var expected = Expected();
        Check(expected, width, threads, guarded, byteQuads: null);
        if (_isDepthwise)
            return;
        Check(expected, width, threads, guarded, byteQuads: false);
        Check(expected, width, threads, guarded, byteQuads: true);
    }

    private unsafe void Check(byte[] expected, SimdWidth width, int threads, bool guarded, bool? byteQuads)
    {
        if (guarded)
        {
            foreach (var atEnd in new[] { true, false })
            {
                using var input = new GuardedMemory(Input.Length, atEnd);
                using var output = new GuardedMemory(OutputLength, atEnd);
                Input.CopyTo(input.Span<byte>());
                Run(input.Start, output.Start, width, threads, byteQuads);
                Compare(expected, output.Span<byte>(), width);
            }

            return;
        }

        Compare(expected, Run(width, threads, byteQuads), width);
    }

    private void Compare(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, SimdWidth width)
    {
        var i = expected.CommonPrefixLength(actual);
        Xunit.Assert.True(
            i == expected.Length,
            i == expected.Length ? null : $"{width} {this}: byte {i} of {expected.Length} is {actual[i]}, the loops give {expected[i]}.");
    }
}
