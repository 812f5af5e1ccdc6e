using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Gradients;

/// <summary>
/// The tensors of one gradient, with or without a normalization and a clamp on either side, and what the plain loops in double precision
/// make of them.
/// </summary>
internal sealed unsafe class GradientCase
{
    private const float Lower = -0.4f;
    private const float Upper = 0.7f;

    private readonly ConvGeometry _g;
    private readonly bool _isMapped;
    private readonly float[] _input;
    private readonly float[] _output;
    private readonly float[] _outputGradient;
    private readonly float[] _weights;
    private readonly float[][] _inputMap;
    private readonly float[][] _outputMap;

    public GradientCase(in ConvGeometry g, bool isMapped)
    {
        (_g, _isMapped) = (g, isMapped);
        _input = RandomData.Floats(g.Batch * g.Rows.In * g.Columns.In * g.InChannels, 1);
        _weights = RandomData.Floats(g.Rows.Kernel * g.Columns.Kernel * (g.InChannels / g.Groups) * g.OutChannels, 2);
        _outputGradient = RandomData.Floats(g.Batch * g.Rows.Out * g.Columns.Out * g.OutChannels, 3);
        _output = RandomData.Floats(_outputGradient.Length, 4);
        _inputMap = Enumerable.Range(5, 3).Select(seed => RandomData.Floats(_g.InChannels, seed)).ToArray();
        _outputMap = Enumerable.Range(8, 4).Select(seed => RandomData.Floats(_g.OutChannels, seed)).ToArray();
    }

    private delegate void Loop(in ConvGradientCall call);

    /// <summary>Compares a depthwise loop.</summary>
    public void CheckDepthwise(SimdWidth width, int threads) => Check(Depthwise(width, threads));

    /// <summary>Compares a pointwise loop.</summary>
    public void CheckPointwise(SimdWidth width, int threads) => Check(Pointwise(width, threads));

    public (float[] Input, float[] Weights, float[] Sums) Depthwise(SimdWidth width, int threads)
    {
        var loop = new DepthwiseGradientLoop(_g, width);
        var scratch = new float[loop.ScratchFloats];
        return Run((in ConvGradientCall call) =>
        {
            fixed (float* memory = scratch)
                loop.Run(call, memory, threads);
        });
    }

    public (float[] Input, float[] Weights, float[] Sums) Pointwise(SimdWidth width, int threads)
    {
        var loop = new PointwiseGradientLoop((nint)_g.Batch * _g.Rows.In * _g.Columns.In, _g.InChannels, _g.OutChannels, true, width);
        var scratch = new float[loop.ScratchFloats];
        return Run((in ConvGradientCall call) =>
        {
            fixed (float* memory = scratch)
                loop.Run(call, memory, threads);
        });
    }

    /// <summary>Compares a standard loop.</summary>
    public void CheckStandard(SimdWidth width, int threads) => Check(Standard(width, threads), mayBeWinograd: true);

    public (float[] Input, float[] Weights, float[] Sums) Standard(SimdWidth width, int threads)
    {
        var loop = new StandardGradientLoop(_g, true, width);
        var scratch = new float[loop.ScratchFloats];
        return Run((in ConvGradientCall call) =>
        {
            fixed (float* memory = scratch)
                loop.Run(call, memory, threads);
        });
    }

    private void Check((float[] Input, float[] Weights, float[] Sums) actual, bool mayBeWinograd = false)
    {
        var x = _isMapped ? Mapped() : _input;
        var expected = ConvolutionReference.Gradients(_g, x, _weights, _isMapped ? MappedGradient() : _outputGradient);
        var sums = new double[2 * _g.InChannels];
        var sumMagnitudes = new double[sums.Length];
        for (var i = 0; i < _input.Length && _isMapped; i++)
        {
            var c = i % _g.InChannels;
            if (x[i] is Lower or Upper)
                expected.Input[i] = 0;
            var centered = (double)_input[i] - _inputMap[1][c];
            sums[c] += expected.Input[i];
            sums[_g.InChannels + c] += expected.Input[i] * centered;
            sumMagnitudes[c] += expected.InputMagnitudes[i];
            sumMagnitudes[_g.InChannels + c] += expected.InputMagnitudes[i] * Math.Abs(centered);
        }

        // What is mapped is rounded a few times more, and the terms of a sum may cancel.
        var slack = _isMapped ? 40 : 2;
        var taps = _g.Rows.Kernel * _g.Columns.Kernel * (_g.OutChannels / _g.Groups);
        var pixels = _g.Batch * _g.Rows.Out * _g.Columns.Out;

        // Winograd's error is that of a tile's whole patch, which reaches further than the pixel's own taps.
        if (mayBeWinograd)
        {
            Array.Fill(expected.InputMagnitudes, 2 * expected.InputMagnitudes.Max());
            Array.Fill(expected.WeightMagnitudes, 2 * expected.WeightMagnitudes.Max());
        }

        ErrorBound.Check(expected.Input, Positive(expected.InputMagnitudes), actual.Input, taps + slack, $"input {_g}");
        ErrorBound.Check(expected.Weights, Positive(expected.WeightMagnitudes), actual.Weights, pixels + slack, $"weights {_g}");
        if (_isMapped)
            ErrorBound.Check(sums, Positive(sumMagnitudes), actual.Sums, pixels + taps + slack, $"sums {_g}");
    }

    private static double[] Positive(double[] magnitudes) => Array.ConvertAll(magnitudes, m => m + 1e-30);

    private (float[] Input, float[] Weights, float[] Sums) Run(Loop loop)
    {
        var (dx, dw, sums) = (new float[_input.Length], new float[_weights.Length], new float[2 * _g.InChannels]);
        fixed (float* input = _input, output = _output, gradient = _outputGradient, weights = _weights)
        fixed (float* scale = _inputMap[0], center = _inputMap[1], shift = _inputMap[2])
        fixed (float* outScale = _outputMap[0], slope = _outputMap[1], outCenter = _outputMap[2], offset = _outputMap[3])
        fixed (float* inputGradient = dx, weightGradient = dw, inputSums = sums)
        {
            var call = new ConvGradientCall
            {
                Input = input,
                OutputGradient = gradient,
                Output = output,
                Weights = weights,
                InputGradient = inputGradient,
                WeightGradient = weightGradient,
            };
            if (_isMapped)
            {
                call.InputMap = new() { Scale = scale, Center = center, Shift = shift, Lower = Lower, Upper = Upper };
                call.OutputMap = new() { Scale = outScale, Slope = slope, Center = outCenter, Offset = offset };
                call.ShiftGradient = inputSums;
                call.ScaleGradient = inputSums + _g.InChannels;
            }

            loop(call);
        }

        return (dx, dw, sums);
    }

    private float[] Mapped() => _input.Select((z, i) =>
    {
        var c = i % _g.InChannels;
        var y = MathF.FusedMultiplyAdd(_inputMap[0][c], z - _inputMap[1][c], _inputMap[2][c]);
        return Math.Clamp(y, Lower, Upper);
    }).ToArray();

    private float[] MappedGradient() => _outputGradient.Select((g, i) =>
    {
        var c = i % _g.OutChannels;
        var y = MathF.FusedMultiplyAdd(_outputMap[1][c], _output[i] - _outputMap[2][c], _outputMap[3][c]);
        return MathF.FusedMultiplyAdd(_outputMap[0][c], g, y);
    }).ToArray();
}
