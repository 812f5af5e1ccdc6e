using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SeparableConv.Imaging.Png;

/// <summary>
/// Turns a row of stored samples into the image's: 1, 2 and 4 bit gray to 0..255, palette indices to RGB or RGBA, the
/// transparent colour of tRNS to an alpha channel, 16 bits to the machine's byte order. Stored samples are not otherwise changed.
/// </summary>
internal sealed class PngExpander
{
    private const int AllColors = 256;

    private readonly PngHeader _header;
    private readonly byte[] _palette = [];
    private readonly int _colors;

    // The stored sample or samples that tRNS calls transparent.
    private readonly ushort[] _key = [];

    public PngExpander(PngParts parts, ReadOnlySpan<byte> file, bool isStrict)
    {
        _header = parts.Header;
        var transparency = parts.Transparency is { } chunk ? file.Slice(chunk.Offset, chunk.Length) : default;
        Channels = _header.StoredSamples;
        if (_header.Color == PngColor.Palette)
        {
            var colors = parts.Palette!.Value;
            _colors = isStrict ? colors.Length / 3 : AllColors;
            Channels = transparency.IsEmpty ? 3 : 4;
            _palette = MakePalette(file.Slice(colors.Offset, colors.Length), transparency);
        }
        else if (!transparency.IsEmpty)
        {
            // Gray or RGB with a transparent colour; of its 16 bits only the low ones of the depth count.
            Channels++;
            _key = new ushort[transparency.Length / 2];
            for (var i = 0; i < _key.Length; i++)
                _key[i] = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(transparency[(2 * i)..]) & ((1 << _header.BitDepth) - 1));
        }
    }

    /// <summary>Channels of the image.</summary>
    public int Channels { get; }

    /// <summary>Expands a row of depth 8 or less.</summary>
    /// <param name="row">The stored row.</param>
    /// <param name="pixels">width * <see cref="Channels"/> samples.</param>
    /// <param name="indices">Room for a row of samples, used for depths below 8.</param>
    public void Expand(ReadOnlySpan<byte> row, Span<byte> pixels, Span<byte> indices)
    {
        var width = pixels.Length / Channels;
        if (_header.BitDepth < 8)
        {
            Spread(row, indices[..width], _header.BitDepth);
            row = indices[..width];
        }

        if (_header.Color == PngColor.Palette)
            LookUp(row, pixels);
        else if (_header.Color == PngColor.Gray && (_header.BitDepth < 8 || _key.Length > 0))
            ExpandGray(row, pixels);
        else if (_key.Length > 0)
            AddAlpha(row, pixels, byte.MaxValue);
        else
            row[..pixels.Length].CopyTo(pixels);
    }

    /// <summary>Expands a row of depth 16.</summary>
    public void Expand(ReadOnlySpan<byte> row, Span<ushort> pixels, Span<ushort> samples)
    {
        var stored = MemoryMarshal.Cast<byte, ushort>(row);
        if (_key.Length == 0)
        {
            ToMachineOrder(stored, pixels);
            return;
        }

        samples = samples[..stored.Length];
        ToMachineOrder(stored, samples);
        AddAlpha(samples, pixels, ushort.MaxValue);
    }

    private static void ToMachineOrder(ReadOnlySpan<ushort> bigEndian, Span<ushort> samples)
    {
        if (BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(bigEndian, samples);
        else
            bigEndian.CopyTo(samples);
    }

    private static byte[] MakePalette(ReadOnlySpan<byte> colors, ReadOnlySpan<byte> alphas)
    {
        var channels = alphas.IsEmpty ? 3 : 4;
        var palette = new byte[AllColors * channels];
        for (var i = 0; i < AllColors; i++)
        {
            // What the palette lacks is black.
            if (3 * i < colors.Length)
                colors.Slice(3 * i, 3).CopyTo(palette.AsSpan(channels * i));
            if (channels == 4)
                palette[4 * i + 3] = i < alphas.Length ? alphas[i] : byte.MaxValue;
        }

        return palette;
    }

    // The leftmost sample is in the highest bits.
    private static void Spread(ReadOnlySpan<byte> packed, Span<byte> samples, int depth)
    {
        var perByte = 8 / depth;
        var mask = (1 << depth) - 1;
        for (var i = 0; i < samples.Length; i++)
            samples[i] = (byte)((packed[i / perByte] >> (8 - depth - i % perByte * depth)) & mask);
    }

    private void LookUp(ReadOnlySpan<byte> indices, Span<byte> pixels)
    {
        var highest = 0;
        if (Channels == 4)
        {
            var palette = MemoryMarshal.Cast<byte, uint>(_palette);
            var target = MemoryMarshal.Cast<byte, uint>(pixels);
            for (var i = 0; i < target.Length; i++)
            {
                highest = Math.Max(highest, indices[i]);
                target[i] = palette[indices[i]];
            }
        }
        else
        {
            ReadOnlySpan<byte> palette = _palette;
            for (int i = 0, to = 0; to < pixels.Length; i++, to += 3)
            {
                highest = Math.Max(highest, indices[i]);
                var from = 3 * indices[i];
                pixels[to + 2] = palette[from + 2];
                pixels[to + 1] = palette[from + 1];
                pixels[to] = palette[from];
            }
        }

        if (highest >= _colors)
        {
            throw new InvalidDataException(
                $"The PNG uses colour {highest} of its palette, which has {_colors} (0 to {_colors - 1}): the file is damaged.");
        }
    }

    private void ExpandGray(ReadOnlySpan<byte> samples, Span<byte> pixels)
    {
        // 255 is a multiple of 1, 3, 15 and 255: black stays 0 and white becomes 255 at every depth.
        var scale = 255 / ((1 << _header.BitDepth) - 1);
        if (_key.Length == 0)
        {
            for (var i = 0; i < pixels.Length; i++)
                pixels[i] = (byte)(samples[i] * scale);
            return;
        }

        for (int i = 0, to = 0; to < pixels.Length; i++, to += 2)
        {
            pixels[to] = (byte)(samples[i] * scale);
            pixels[to + 1] = samples[i] == _key[0] ? byte.MinValue : byte.MaxValue;
        }
    }

    private void AddAlpha<T>(ReadOnlySpan<T> samples, Span<T> pixels, T opaque)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var colors = _key.Length;
        for (int from = 0, to = 0; to < pixels.Length; from += colors, to += colors + 1)
        {
            var transparent = true;
            for (var c = 0; c < colors; c++)
            {
                pixels[to + c] = samples[from + c];
                transparent &= samples[from + c] == T.CreateTruncating(_key[c]);
            }

            pixels[to + colors] = transparent ? T.Zero : opaque;
        }
    }
}
