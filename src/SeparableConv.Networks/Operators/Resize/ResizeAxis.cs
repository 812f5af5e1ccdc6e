namespace SeparableConv.Networks.Operators;

/// <summary>One direction of a resize: where each output pixel lies in the input, and from which pixels it is computed.</summary>
/// <param name="Input">Pixels of the input.</param>
/// <param name="Output">Pixels of the output.</param>
/// <param name="Scale">
/// Output by input as an ONNX model gives it, by which places are divided in double precision, or without rounding; null takes it from the
/// lengths and multiplies places by input/output in single precision, as TensorFlow Lite does: which pixel is the nearest depends on it.
/// </param>
/// <param name="Coordinates">Where an output pixel lies.</param>
/// <param name="Start">For a crop: where it begins, 0 being the first pixel and 1 the last.</param>
/// <param name="End">For a crop: where it ends.</param>
internal readonly record struct ResizeAxis(
    int Input, int Output, ResizeScale? Scale, CoordinateMode Coordinates, float Start = 0, float End = 1)
{
    // What one pixel of the output is in the input.
    private double Step => Scale is { } scale ? 1.0 / scale.Value : (double)Input / Output;

    /// <summary>Checks that there is something to read and that the scale belongs to the lengths.</summary>
    /// <exception cref="ArgumentException">There is not or it does not.</exception>
    public void Check(string what)
    {
        if (Input < 1 || Output < 1)
            throw new ArgumentException($"A resize from {Input} to {Output} {what} was asked for; both are at least 1.");

        // The output is the product, cut or rounded.
        if (Scale is { Value: var scale } && !(scale > 0 && (scale * Input) - Output is > -0.55 and < 1.05))
        {
            throw new ArgumentException(FormattableString.Invariant(
                $"A scale of {scale} was given for {Input} {what} that become {Output}; expected about {(double)Output / Input}."));
        }

        if (!float.IsFinite(Start) || !float.IsFinite(End))
            throw new ArgumentException(FormattableString.Invariant($"A crop of {what} from {Start} to {End} was asked for."));
    }

    /// <summary>For each output pixel, the input's nearest.</summary>
    public int[] Nearest(NearestRounding rounding)
    {
        var indexes = new int[Output];
        for (var i = 0; i < indexes.Length; i++)
            indexes[i] = (int)Math.Clamp(Place(i).Nearest(rounding), 0, Input - 1);
        return indexes;
    }

    /// <summary>For each output pixel, whether a crop leaves it without a place in the input.</summary>
    public bool[] Outside()
    {
        var outside = new bool[Output];
        for (var i = 0; i < outside.Length; i++)
            outside[i] = Cropped(i) is var place && (place < 0 || place > Input - 1);
        return outside;
    }

    /// <summary>For each output pixel, the input's pixels and their weights, which add up to 1.</summary>
    public ResizeTaps Weighted(ResizeKernel kernel)
    {
        var taps = new ResizeTaps(Output);
        var weights = new List<double>();
        var isWide = kernel.Antialias && Step > 1;
        for (var i = 0; i < Output; i++)
        {
            weights.Clear();
            var place = Place(i);
            var first = isWide || kernel.Mode == ResizeMode.Cubic
                ? Spread(place, kernel, isWide ? Step : 1, weights)
                : Between(place, weights);
            taps.Set(i, first, weights);
        }

        return taps;
    }

    /// <summary>Where output pixel i lies by ONNX Runtime's arithmetic, all of it in single precision.</summary>
    public float RuntimePlace(int i)
    {
        var scale = (float)(Scale?.Value ?? (double)Output / Input);
        var length = scale * Input;
        return Coordinates switch
        {
            _ when scale == 1 && Input == Output => i,
            CoordinateMode.AlignCorners or CoordinateMode.PytorchHalfPixel when Output == 1 => 0,
            CoordinateMode.AlignCorners => (float)i * (Input - 1) / (Output - 1),
            CoordinateMode.Asymmetric => i / scale,
            CoordinateMode.TfHalfPixelForNearest => (i + 0.5f) / scale,
            CoordinateMode.HalfPixelSymmetric => (Input / 2f * (1 - (Output / length))) + ((i + 0.5f) / scale) - 0.5f,
            CoordinateMode.CropAndResize => (float)Cropped(i),
            _ => ((i + 0.5f) / scale) - 0.5f,
        };
    }

    // The two pixels around a place, or the one at it or at the edge.
    private int Between(ResizePlace place, List<double> weights)
    {
        if (place.Whole < 0 || place.Whole >= Input - 1)
            place = new(Math.Clamp(place.Whole, 0, Input - 1), 0);
        weights.Add(1 - place.Fraction);
        if (place.Fraction > 0)
            weights.Add(place.Fraction);
        return (int)place.Whole;
    }

    // weight(p) = kernel(|p - x|/step) for all pixels p that it reaches, divided by their sum; the weights of pixels beyond an edge go to
    // the edge or nowhere.
    private int Spread(ResizePlace place, ResizeKernel kernel, double step, List<double> weights)
    {
        var reach = kernel.Radius * step;
        var first = place.Whole + (long)Math.Ceiling(place.Fraction - reach);
        var last = place.Whole + (long)Math.Floor(place.Fraction + reach);
        var (begin, end) = ((int)Math.Clamp(first, 0, Input - 1), (int)Math.Clamp(last, 0, Input - 1));
        for (var p = begin; p <= end; p++)
            weights.Add(0);
        double sum = 0;
        for (var p = first; p <= last; p++)
        {
            if (kernel.ExcludeOutside && (p < 0 || p >= Input))
                continue;
            var weight = kernel.At((p - place.Whole - place.Fraction) / step);
            weights[(int)Math.Clamp(p, begin, end) - begin] += weight;
            sum += weight;
        }

        for (var k = 0; k < weights.Count && sum != 0; k++)
            weights[k] /= sum;
        return begin;
    }

    /// <summary>Where output pixel i lies in the input, 0 being the centre of the first pixel; it may lie outside.</summary>
    private ResizePlace Place(int i) => Coordinates switch
    {
        CoordinateMode.AlignCorners or CoordinateMode.PytorchHalfPixel when Output == 1 => new(0, 0),
        CoordinateMode.CropAndResize => ResizePlace.Of(Cropped(i)),
        _ => Scale is not { } scale ? ResizePlace.Of(SinglePlace(i))
            : scale.IsRatio ? ExactPlace(i, scale.Numerator, scale.Denominator)
            : ResizePlace.Of(ScaledPlace(i, scale.Value)),
    };

    private double ScaledPlace(int i, double scale) => Coordinates switch
    {
        CoordinateMode.AlignCorners => i * (Input - 1.0) / ((scale * Input) - 1),
        CoordinateMode.Asymmetric => i / scale,
        CoordinateMode.TfHalfPixelForNearest => (i + 0.5) / scale,
        CoordinateMode.HalfPixelSymmetric => (Input / 2.0 * (1 - (Output / (scale * Input)))) + ((i + 0.5) / scale) - 0.5,
        _ => ((i + 0.5) / scale) - 0.5,
    };

    // The same formulas as fractions, with p/q as the scale.
    private ResizePlace ExactPlace(int i, Int128 p, Int128 q) => Coordinates switch
    {
        // An output that is rounded up from less than a pixel and a half has one, and one pixel lies at 0.
        CoordinateMode.AlignCorners => ResizePlace.Of(i * (Input - Int128.One) * q, Int128.Max(1, (p * Input) - q)),
        CoordinateMode.Asymmetric => ResizePlace.Of(i * q, p),
        CoordinateMode.TfHalfPixelForNearest => ResizePlace.Of(((2 * (Int128)i) + 1) * q, 2 * p),
        CoordinateMode.HalfPixelSymmetric => ResizePlace.Of(((Input - Int128.One) * p) + (q * ((2 * (Int128)i) + 1 - Output)), 2 * p),
        _ => ResizePlace.Of((((2 * (Int128)i) + 1) * q) - p, 2 * p),
    };

    private float SinglePlace(int i)
    {
        var step = Input / (float)Output;
        return Coordinates switch
        {
            CoordinateMode.AlignCorners => i * ((Input - 1) / (float)(Output - 1)),
            CoordinateMode.Asymmetric => i * step,
            CoordinateMode.TfHalfPixelForNearest => (i + 0.5f) * step,
            _ => ((i + 0.5f) * step) - 0.5f,
        };
    }

    private double Cropped(int i) => Output > 1
        ? ((double)Start * (Input - 1)) + (i * ((double)End - Start) * (Input - 1) / (Output - 1))
        : ((double)Start + End) * (Input - 1) / 2;
}
