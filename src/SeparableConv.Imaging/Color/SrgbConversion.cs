using System.Numerics;

namespace SeparableConv.Imaging.Color;

/// <summary>
/// Makes sRGB of samples whose profile has curves and primaries: light = curve(sample), light in sRGB's primaries = matrix * light,
/// sample = sRGB's curve backwards. What sRGB cannot show is clipped. Relative colorimetric: white stays white.
/// </summary>
internal sealed class SrgbConversion
{
    // Straight lines between so many entries are off by less than a hundredth of a 16-bit step.
    private const int Steps = 1 << 16;

    // sRGB's primaries relative to white D50, turned round: light of XYZ (IEC 61966-2-1 with the Bradford adaptation of ISO 15076-1).
    private static readonly double[] FromXyz =
    [
        3.1338561, -1.6168667, -0.4906146,
        -0.9787684, 1.9161415, 0.0334540,
        0.0719453, -0.2289914, 1.4052427,
    ];

    private static readonly float[] Encoded =
        [.. Enumerable.Range(0, Steps + 2).Select(i => (float)Encode(Math.Min(1, (double)i / Steps)))];

    private readonly IccCurve[] _curves;
    private readonly double[] _matrix;

    private SrgbConversion(IccCurve[] curves, double[] matrix) => (_curves, _matrix) = (curves, matrix);

    /// <summary>The conversion; null where there is nothing to convert, or the profile has no curves.</summary>
    public static SrgbConversion? Of(IccProfile profile)
    {
        if (profile.Curves.Length == 0)
            return null;
        var matrix = profile.IsGray ? [] : Product(FromXyz, profile.Primaries);
        var conversion = new SrgbConversion(profile.Curves, matrix);
        return conversion.ChangesNothing() ? null : conversion;
    }

    /// <summary>Converts pixels.</summary>
    /// <param name="source">Gray or RGB, alpha behind them, which is copied. Floats of 0 to 1 are meant.</param>
    /// <param name="target">As many samples.</param>
    /// <param name="channels">Samples a pixel: 1 or 2 for a gray profile, 3 or 4 for RGB.</param>
    public void Run<T>(ReadOnlySpan<T> source, Span<T> target, int channels)
        where T : unmanaged, INumber<T>
    {
        var lights = Array.ConvertAll(_curves, curve => new Lights<T>(curve));
        var (m, colors) = (_matrix, _curves.Length);
        for (var p = 0; p < source.Length; p += channels)
        {
            if (colors == 1)
            {
                target[p] = Sample<T>(Shown(lights[0].Of(source[p])));
            }
            else
            {
                var (red, green, blue) = (lights[0].Of(source[p]), lights[1].Of(source[p + 1]), lights[2].Of(source[p + 2]));
                target[p] = Sample<T>(Shown((m[0] * red) + (m[1] * green) + (m[2] * blue)));
                target[p + 1] = Sample<T>(Shown((m[3] * red) + (m[4] * green) + (m[5] * blue)));
                target[p + 2] = Sample<T>(Shown((m[6] * red) + (m[7] * green) + (m[8] * blue)));
            }

            if (channels > colors)
                target[p + colors] = source[p + colors];
        }
    }

    private static double[] Product(double[] left, double[] right)
    {
        var product = new double[9];
        for (var i = 0; i < 9; i++)
        {
            for (var k = 0; k < 3; k++)
                product[i] += left[(i / 3 * 3) + k] * right[(k * 3) + (i % 3)];
        }

        return product;
    }

    private static double Encode(double light) =>
        light <= 0.0031308 ? 12.92 * light : (1.055 * Math.Pow(light, 1 / 2.4)) - 0.055;

    // sRGB's sample, 0 to 1, of an amount of light.
    private static double Shown(double light)
    {
        var position = Math.Clamp(light, 0, 1) * Steps;
        var below = (int)position;
        return Encoded[below] + ((Encoded[below + 1] - Encoded[below]) * (position - below));
    }

    private static T Sample<T>(double value)
        where T : unmanaged, INumber<T>
    {
        if (typeof(T) == typeof(byte))
            return T.CreateTruncating((byte)((value * byte.MaxValue) + 0.5));
        return typeof(T) == typeof(ushort)
            ? T.CreateTruncating((ushort)((value * ushort.MaxValue) + 0.5))
            : T.CreateTruncating(value);
    }

    // Most profiles are sRGB's own: samples then stay as they are, to the bit.
    private bool ChangesNothing()
    {
        const double HalfStep = 0.5 / byte.MaxValue;
        for (var i = 0; i < _matrix.Length; i++)
        {
            if (Math.Abs(_matrix[i] - (i % 4 == 0 ? 1 : 0)) > 1.0 / 1024)
                return false;
        }

        for (var i = 0; i <= byte.MaxValue; i++)
        {
            var sample = (double)i / byte.MaxValue;
            if (_curves.Any(curve => Math.Abs(Encode(curve.Light(sample)) - sample) >= HalfStep))
                return false;
        }

        return true;
    }

    // A curve for samples of one type: those of integers are looked up.
    private readonly struct Lights<T>(IccCurve curve)
        where T : unmanaged, INumber<T>
    {
        private readonly double[] _table = typeof(T) == typeof(byte) ? Table(curve, byte.MaxValue)
            : typeof(T) == typeof(ushort) ? Table(curve, ushort.MaxValue)
            : [];

        public double Of(T sample) => typeof(T) == typeof(byte) || typeof(T) == typeof(ushort)
            ? _table[ushort.CreateTruncating(sample)]
            : curve.Light(double.CreateTruncating(sample));

        private static double[] Table(IccCurve curve, int largest) =>
            [.. Enumerable.Range(0, largest + 1).Select(i => curve.Light((double)i / largest))];
    }
}
