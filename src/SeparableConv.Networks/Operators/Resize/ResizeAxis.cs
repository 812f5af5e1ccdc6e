namespace SeparableConv.Networks.Operators;

/// <summary>One direction of a resize: where each output pixel lies in the input, and from which pixels it is computed.</summary>
/// <param name="Input">Pixels of the input.</param>
/// <param name="Output">Pixels of the output.</param>
/// <param name="Scale">
/// Output by input as the model gives it, by which places are divided (ONNX); null takes it from the lengths and multiplies places by
/// input/output (TensorFlow Lite). In single precision, as both do: which pixel is the nearest depends on it.
/// </param>
/// <param name="Coordinates">Where an output pixel lies.</param>
internal readonly record struct ResizeAxis(int Input, int Output, float? Scale, CoordinateMode Coordinates)
{
    // What one pixel of the output is in the input.
    private double Step => Scale is { } scale ? 1.0 / scale : (double)Input / Output;

    // Output pixels before they were cut to a whole number; a scale that was computed from the lengths gives that number again.
    private float Length => Scale * Input is { } length && MathF.Abs(length - Output) > 1e-3f ? length : Output;

    /// <summary>Checks that there is something to read and that the scale belongs to the lengths.</summary>
    /// <exception cref="ArgumentException">There is not or it does not.</exception>
    public void Check(string what)
    {
        if (Input < 1 || Output < 1)
            throw new ArgumentException($"A resize from {Input} to {Output} {what} was asked for; both are at least 1.");

        // The output is the product, cut or rounded.
        if (Scale is { } scale && !(scale > 0 && ((double)scale * Input) - Output is > -0.55 and < 1.05))
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"A scale of {scale} was given for {Input} {what} that become {Output}; expected about {(double)Output / Input}."));
        }
    }

    /// <summary>For each output pixel, the input's nearest.</summary>
    public int[] Nearest(NearestRounding rounding)
    {
        var indexes = new int[Output];
        for (var i = 0; i < indexes.Length; i++)
        {
            // In double: a half added to a float can round up by itself.
            double x = Place(i);
            var nearest = rounding switch
            {
                NearestRounding.RoundPreferFloor => Math.Ceiling(x - 0.5),
                NearestRounding.RoundPreferCeil => Math.Floor(x + 0.5),
                NearestRounding.Floor => Math.Floor(x),
                _ => Math.Ceiling(x),
            };
            indexes[i] = (int)Math.Clamp(nearest, 0, Input - 1);
        }

        return indexes;
    }

    /// <summary>For each output pixel, the input's pixels and their weights, which add up to 1.</summary>
    public ResizeTaps Linear(ResizeAntialias antialias)
    {
        var taps = new ResizeTaps(Output);
        var weights = new List<double>();
        for (var i = 0; i < Output; i++)
        {
            if (antialias != ResizeAntialias.None && Step > 1)
            {
                var first = Triangle(i, antialias == ResizeAntialias.ExcludeOutside, weights);
                taps.Set(i, first, weights);
                continue;
            }

            var x = Math.Clamp(Place(i), 0, Input - 1);
            var lower = (int)x;
            var fraction = (double)(x - lower);
            weights.Clear();
            weights.Add(1 - fraction);
            if (fraction > 0)
                weights.Add(fraction);
            taps.Set(i, lower, weights);
        }

        return taps;
    }

    /// <summary>Where output pixel i lies in the input, 0 being the centre of the first pixel; it may lie outside.</summary>
    private float Place(int i)
    {
        switch (Coordinates)
        {
            case CoordinateMode.AlignCorners:
                if (Output == 1)
                    return 0;
                return Scale is null ? i * ((Input - 1) / (float)(Output - 1)) : i * (float)(Input - 1) / (Length - 1);
            case CoordinateMode.Asymmetric:
                return Scaled(i);
            case CoordinateMode.TfHalfPixelForNearest:
                return Scaled(i + 0.5f);
            case CoordinateMode.PytorchHalfPixel when Output == 1:
                return 0;
            case CoordinateMode.HalfPixelSymmetric:
                return (Input / 2f * (1 - (Output / Length))) + Scaled(i + 0.5f) - 0.5f;
            default:
                return Scaled(i + 0.5f) - 0.5f;
        }
    }

    private float Scaled(float place) => Scale is { } scale ? place / scale : place * (Input / (float)Output);

    // weight(p) = 1 - |p - x|/step for the pixels p nearer than a step, divided by their sum; the weights of pixels beyond an edge go
    // to the edge or nowhere.
    private int Triangle(int i, bool excludeOutside, List<double> weights)
    {
        double x = Place(i);
        var (first, last) = ((long)Math.Ceiling(x - Step), (long)Math.Floor(x + Step));
        var (begin, end) = ((int)Math.Clamp(first, 0, Input - 1), (int)Math.Clamp(last, 0, Input - 1));
        weights.Clear();
        for (var p = begin; p <= end; p++)
            weights.Add(0);
        double sum = 0;
        for (var p = first; p <= last; p++)
        {
            if (excludeOutside && (p < 0 || p >= Input))
                continue;
            var weight = Math.Max(0, 1 - (Math.Abs(p - x) / Step));
            weights[(int)Math.Clamp(p, begin, end) - begin] += weight;
            sum += weight;
        }

        for (var k = 0; k < weights.Count; k++)
            weights[k] /= sum;
        return begin;
    }
}

/// <summary>For each output pixel of an axis, a run of input pixels and their weights.</summary>
internal sealed class ResizeTaps(int outputs)
{
    private readonly List<float> _weights = [];

    /// <summary>The first input pixel of each output pixel.</summary>
    public int[] First { get; } = new int[outputs];

    /// <summary>Where the weights of each output pixel begin; those of the last end at the last of these.</summary>
    public int[] Begin { get; } = new int[outputs + 1];

    /// <summary>All weights, after the last pixel was set.</summary>
    public float[] Weights() => [.. _weights];

    /// <summary>The gradient's sums: for each input pixel, the output pixels that it is part of, with the same weights.</summary>
    public AxisTaps Transposed(int inputs)
    {
        var terms = new List<AxisTaps.Term>(_weights.Count);
        for (var i = 0; i < First.Length; i++)
        {
            for (var at = Begin[i]; at < Begin[i + 1]; at++)
                terms.Add(new(First[i] + (at - Begin[i]), i, _weights[at]));
        }

        return new(First.Length, inputs, terms);
    }

    /// <summary>Sets the input pixels and weights of an output pixel; output pixels are set in order.</summary>
    public void Set(int output, int first, List<double> weights)
    {
        First[output] = first;
        foreach (var weight in weights)
            _weights.Add((float)weight);
        Begin[output + 1] = _weights.Count;
    }
}
