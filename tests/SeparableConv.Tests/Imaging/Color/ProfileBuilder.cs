using System.Buffers.Binary;
using System.Text;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging.Color;

/// <summary>Writes ICC profiles element by element, right ones and wrong ones.</summary>
internal sealed class ProfileBuilder(string space = "RGB ")
{
    /// <summary>The primaries of sRGB and Display P3 relative to white D50: XYZ of red, green and blue.</summary>
    public static readonly double[] Srgb = [0.43607, 0.22249, 0.01392, 0.38515, 0.71687, 0.09708, 0.14307, 0.06061, 0.71410];
    public static readonly double[] DisplayP3 = [0.51512, 0.24120, -0.00105, 0.29198, 0.69225, 0.04189, 0.15710, 0.06657, 0.78407];

    private readonly List<(string Name, byte[] Element)> _tags = [];

    /// <summary>A profile of RGB with one curve for all colours.</summary>
    public static byte[] Rgb(double[] primaries, byte[] curve) => new ProfileBuilder().Primaries(primaries)
        .Tag("rTRC", curve).Tag("gTRC", curve).Tag("bTRC", curve).Bytes();

    public static byte[] Gray(byte[] curve) => new ProfileBuilder("GRAY").Tag("kTRC", curve).Bytes();

    /// <summary>A 'curv' element of a table; of none, it is the identity.</summary>
    public static byte[] Table(params ushort[] entries)
    {
        var element = Element("curv", 4 + (2 * entries.Length));
        BinaryPrimitives.WriteInt32BigEndian(element.AsSpan(8), entries.Length);
        for (var i = 0; i < entries.Length; i++)
            BinaryPrimitives.WriteUInt16BigEndian(element.AsSpan(12 + (2 * i)), entries[i]);
        return element;
    }

    public static byte[] Gamma(double gamma) => Table((ushort)(gamma * 256));

    /// <summary>A 'para' element.</summary>
    public static byte[] Parametric(int kind, params double[] numbers)
    {
        var element = Element("para", 4 + (4 * numbers.Length));
        BinaryPrimitives.WriteInt16BigEndian(element.AsSpan(8), (short)kind);
        for (var i = 0; i < numbers.Length; i++)
            Fixed(element.AsSpan(12 + (4 * i)), numbers[i]);
        return element;
    }

    /// <summary>sRGB's own curve.</summary>
    public static byte[] SrgbCurve() => Parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045);

    public ProfileBuilder Primaries(double[] primaries)
    {
        foreach (var (name, at) in new[] { ("rXYZ", 0), ("gXYZ", 3), ("bXYZ", 6) })
        {
            var element = Element("XYZ ", 12);
            for (var i = 0; i < 3; i++)
                Fixed(element.AsSpan(8 + (4 * i)), primaries[at + i]);
            Tag(name, element);
        }

        return this;
    }

    /// <summary>A table of colours, 'mft2': light as sRGB's curve has it, and XYZ what the primaries make of it.</summary>
    public ProfileBuilder Colors(double[] primaries)
    {
        const double PcsUnit = 1 + (32767.0 / 32768);
        const int Entries = 256;
        var element = Element("mft2", 44 + (2 * ((3 * Entries) + 24 + 6)));
        (element[8], element[9], element[10]) = (3, 3, 2);
        foreach (var i in new[] { 0, 4, 8 })
            Fixed(element.AsSpan(12 + (4 * i)), 1);
        BinaryPrimitives.WriteInt16BigEndian(element.AsSpan(48), Entries);
        BinaryPrimitives.WriteInt16BigEndian(element.AsSpan(50), 2);
        var words = new List<ushort>();
        for (var i = 0; i < 3 * Entries; i++)
        {
            var sample = i % Entries / (Entries - 1.0);
            words.Add((ushort)Math.Round(65535 * (sample < 0.04045 ? sample / 12.92 : Math.Pow((sample + 0.055) / 1.055, 2.4))));
        }

        for (var corner = 0; corner < 8; corner++)
        {
            for (var i = 0; i < 3; i++)
            {
                var sum = ((corner >> 2) * primaries[i]) + ((corner >> 1 & 1) * primaries[3 + i]) + ((corner & 1) * primaries[6 + i]);
                words.Add((ushort)Math.Clamp(Math.Round(sum / PcsUnit * 65535), 0, 65535));
            }
        }

        words.AddRange([0, 65535, 0, 65535, 0, 65535]);
        for (var i = 0; i < words.Count; i++)
            BinaryPrimitives.WriteUInt16BigEndian(element.AsSpan(52 + (2 * i)), words[i]);
        return Tag("A2B0", element);
    }

    public ProfileBuilder Tag(string name, byte[] element)
    {
        _tags.Add((name, element));
        return this;
    }

    public byte[] Bytes()
    {
        var white = Element("XYZ ", 12);
        foreach (var (at, number) in new[] { (8, 0.9642), (12, 1.0), (16, 0.8249) })
            Fixed(white.AsSpan(at), number);
        var tags = _tags.Append(("wtpt", white)).ToList();
        var start = 132 + (12 * tags.Count);
        var profile = new byte[start + tags.Sum(tag => (tag.Item2.Length + 3) / 4 * 4)];
        BinaryPrimitives.WriteInt32BigEndian(profile, profile.Length);
        Encoding.ASCII.GetBytes("\x02\x40\0\0mntr" + space + "XYZ ").CopyTo(profile, 8);
        Encoding.ASCII.GetBytes("acsp").CopyTo(profile, 36);
        white.AsSpan(8).CopyTo(profile.AsSpan(68));
        BinaryPrimitives.WriteInt32BigEndian(profile.AsSpan(128), tags.Count);
        for (var i = 0; i < tags.Count; i++)
        {
            var tag = profile.AsSpan(132 + (12 * i));
            Encoding.ASCII.GetBytes(tags[i].Item1).CopyTo(tag);
            BinaryPrimitives.WriteInt32BigEndian(tag[4..], start);
            BinaryPrimitives.WriteInt32BigEndian(tag[8..], tags[i].Item2.Length);
            tags[i].Item2.CopyTo(profile, start);
            start += (tags[i].Item2.Length + 3) / 4 * 4;
        }

        return profile;
    }

    public ColorProfile Profile() => ColorProfile.Parse(Bytes());

    private static byte[] Element(string name, int bytes) => [.. Encoding.ASCII.GetBytes(name), 0, 0, 0, 0, .. new byte[bytes]];

    private static void Fixed(Span<byte> bytes, double number) =>
        BinaryPrimitives.WriteInt32BigEndian(bytes, (int)Math.Round(number * 65536));
}
