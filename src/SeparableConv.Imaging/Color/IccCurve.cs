using System.Buffers.Binary;

namespace SeparableConv.Imaging.Color;

/// <summary>A tone curve of an ICC profile: how much light a sample of 0 to 1 stands for (ISO 15076-1, 10.6 and 10.18).</summary>
internal sealed class IccCurve
{
    private const double Unit = 65536;

    // How many numbers the parametric kinds 0 to 4 have: g; a b; c; d; e f.
    private static readonly int[] Counts = [1, 3, 4, 5, 7];

    private readonly float[] _table;
    private readonly double _gamma = 1;
    private readonly double _scale = 1;
    private readonly double _shift;
    private readonly double _slope;
    private readonly double _break = double.NegativeInfinity;
    private readonly double _above;
    private readonly double _below;

    private IccCurve(float[] table) => _table = table;

    // From the break on (scale*x + shift)^gamma + above, below it slope*x + below.
    private IccCurve(int kind, ReadOnlySpan<double> numbers)
    {
        _table = [];
        _gamma = numbers[0];
        if (kind == 0)
            return;
        (_scale, _shift) = (numbers[1], numbers[2]);
        switch (kind)
        {
            case 1:
                _break = -_shift / _scale;
                break;
            case 2:
                _break = -_shift / _scale;
                (_above, _below) = (numbers[3], numbers[3]);
                break;
            default:
                (_slope, _break) = (numbers[3], numbers[4]);
                if (kind == 4)
                    (_above, _below) = (numbers[5], numbers[6]);
                break;
        }
    }

    /// <summary>A number of 16 bits before and 16 behind the point.</summary>
    public static double Fixed(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes) / Unit;

    /// <summary>Reads a 'curv' or 'para' element; null where it is none or damaged.</summary>
    public static IccCurve? Parse(ReadOnlySpan<byte> element)
    {
        if (element.Length < 12)
            return null;
        if (element.StartsWith("para"u8))
            return Parametric(BinaryPrimitives.ReadUInt16BigEndian(element[8..]), element[12..]);
        if (!element.StartsWith("curv"u8))
            return null;

        var count = BinaryPrimitives.ReadUInt32BigEndian(element[8..]);
        var entries = element[12..];
        if (count > (uint)entries.Length / 2)
            return null;
        if (count == 0)
            return new IccCurve(0, [1.0]);
        if (count == 1)
            return new IccCurve(0, [BinaryPrimitives.ReadUInt16BigEndian(entries) / 256.0]);
        var table = new float[count];
        for (var i = 0; i < table.Length; i++)
            table[i] = BinaryPrimitives.ReadUInt16BigEndian(entries[(2 * i)..]) / (float)ushort.MaxValue;
        return new IccCurve(table);
    }

    /// <summary>The light of a sample, 0 to 1 as the sample; between the entries of a table it runs straight.</summary>
    public double Light(double sample)
    {
        sample = Math.Clamp(sample, 0, 1);
        if (_table.Length > 0)
        {
            var position = sample * (_table.Length - 1);
            var below = Math.Min((int)position, _table.Length - 2);
            return _table[below] + ((_table[below + 1] - _table[below]) * (position - below));
        }

        var light = sample >= _break
            ? Math.Pow(Math.Max(0, (_scale * sample) + _shift), _gamma) + _above
            : (_slope * sample) + _below;
        return double.IsNaN(light) ? 0 : Math.Clamp(light, 0, 1);
    }

    private static IccCurve? Parametric(int kind, ReadOnlySpan<byte> bytes)
    {
        if (kind >= Counts.Length || bytes.Length < 4 * Counts[kind])
            return null;
        var numbers = new double[Counts[kind]];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = Fixed(bytes[(4 * i)..]);
        return new IccCurve(kind, numbers);
    }
}
