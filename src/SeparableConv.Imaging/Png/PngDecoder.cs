using System.IO.Compression;
using System.Numerics;

namespace SeparableConv.Imaging.Png;

/// <summary>Inflates, unfilters and expands a PNG that lies in memory, a block of rows at a time.</summary>
internal sealed class PngDecoder
{
    // Deflate cannot make more than 1032 bytes of one (RFC 1951: 258 bytes for two bits); the slack is for the shortest streams.
    private const int MaxDeflateRatio = 1032;
    private const int RatioSlack = 4096;

    // A block of rows this large stays in the second-level cache from the inflater to the picture.
    private const int BlockBytes = 128 * 1024;

    private readonly PngHeader _header;
    private readonly bool _isStrict;
    private readonly PngExpander _expander;
    private readonly PngDataStream _compressed;

    private PngDecoder(byte[] file, PngParts parts, bool isStrict)
    {
        (_header, _isStrict) = (parts.Header, isStrict);
        _expander = new PngExpander(parts, file, isStrict);
        _compressed = new PngDataStream(file, parts.Data, parts.DataBytes);
    }

    /// <summary>Turns rows of stored bytes into rows of samples; there is one for 8 and one for 16 bits.</summary>
    private delegate void RowExpander<T>(ReadOnlySpan<byte> row, Span<T> pixels, Span<T> scratch);

    /// <summary>Decodes a whole file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or too large.</exception>
    public static Image Decode(byte[] file, ImageReadOptions options)
    {
        var parts = PngParts.Read(file, options.MaxPixels, options.Strict);
        CheckPlausible(parts);
        var decoder = new PngDecoder(file, parts, options.Strict);
        var header = parts.Header;
        ImageLimits.Check("PNG", header.Width, header.Height, decoder._expander.Channels, options.MaxPixels);
        Image image = header.BitDepth == 16
            ? decoder.Decode<ushort>(decoder._expander.Expand)
            : decoder.Decode<byte>(decoder._expander.Expand);
        image.Metadata = parts.Metadata.Read(file, image.Channels);
        if (options.ApplyOrientation && parts.Exif is { } exif)
            image = Orientation.Apply(image, Orientation.FromExif(file.AsSpan(exif.Offset, exif.Length)));

        return image;
    }

    private static void CheckPlausible(PngParts parts)
    {
        var raw = parts.Header.RawBytes();
        if (raw > (Int128)parts.DataBytes * MaxDeflateRatio + RatioSlack)
        {
            throw new InvalidDataException(
                $"The PNG claims {parts.Header.Width}x{parts.Header.Height} pixels, but its {parts.DataBytes} bytes of data cannot hold "
                + $"the {raw} bytes of them: the file is cut off or forged.");
        }

        // The block and its row above, each row behind its filter byte and the zeros of its left neighbour, in one array.
        if (2 * (parts.Header.RowBytes(parts.Header.Width) + 1) > Array.MaxLength)
            throw new InvalidDataException($"The PNG's rows of {parts.Header.Width} pixels are too long to be read.");
    }

    private Image<T> Decode<T>(RowExpander<T> expand)
        where T : unmanaged, INumber<T>
    {
        var image = new Image<T>(
            _header.Width,
            _header.Height,
            _expander.Channels,
            GC.AllocateUninitializedArray<T>(_header.Width * _header.Height * _expander.Channels));
        try
        {
            using var inflater = Inflater();
            foreach (var pass in PngPass.All(_header.Interlaced))
                DecodePass(inflater, pass, image, expand);
            if (_isStrict)
                CheckEnd(inflater);
        }
        catch (IOException failure)
        {
            // The BCL's name for an inflater error other than broken data, such as a preset dictionary.
            throw new InvalidDataException("The PNG's compressed data are not a plain zlib stream: the file is damaged.", failure);
        }

        return image;
    }

    // Every chunk's own checksum is right: that of the compressed data, and what lies behind the pixels, are for strict readers.
    private Stream Inflater()
    {
        if (_isStrict)
            return new ZLibStream(_compressed, CompressionMode.Decompress, leaveOpen: true);

        // The two bytes in front of the deflated ones (RFC 1950): method 8 with a window that exists, no dictionary, a multiple of 31.
        Span<byte> header = stackalloc byte[2];
        var count = _compressed.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (count < 2 || (header[0] & 15) != 8 || header[0] >> 4 > 7 || (header[1] & 32) != 0 || ((header[0] << 8) | header[1]) % 31 != 0)
            throw Broken(null);
        return new DeflateStream(_compressed, CompressionMode.Decompress, leaveOpen: true);
    }

    private static InvalidDataException Broken(Exception? failure) =>
        new("The PNG's compressed data are no zlib stream, or their checksum is wrong: the file is damaged.", failure);

    private void DecodePass<T>(Stream inflater, PngPass pass, Image<T> image, RowExpander<T> expand)
        where T : unmanaged, INumber<T>
    {
        var (width, height) = pass.SizeIn(_header.Width, _header.Height);
        if (width == 0)
            return;

        // A row of the block: filter byte, then samples. Row 0 is the last row of the block before; zeros at first.
        var stride = (int)_header.RowBytes(width) + 1;
        var blockRows = Math.Clamp(BlockBytes / stride, 1, height);
        var block = new byte[stride * (blockRows + 1)];
        var scratch = new T[width * _header.StoredSamples];
        var passRow = pass.StepX == 1 ? [] : new T[width * image.Channels];
        for (var y = 0; y < height;)
        {
            var rows = Math.Min(blockRows, height - y);
            Fill(inflater, block.AsSpan(stride, rows * stride));
            for (var i = 1; i <= rows; i++, y++)
            {
                var above = block.AsSpan((i - 1) * stride + 1, stride - 1);
                var row = block.AsSpan(i * stride + 1, stride - 1);
                PngUnfilter.Undo((PngFilter)block[i * stride], row, above, _header.FilterDistance);
                var target = image.Row(pass.StartY + y * pass.StepY);
                if (pass.StepX == 1)
                {
                    expand(row, target, scratch);
                }
                else
                {
                    expand(row, passRow, scratch);
                    Scatter(passRow, target, pass, image.Channels);
                }
            }

            block.AsSpan(rows * stride, stride).CopyTo(block);
        }
    }

    private static void Scatter<T>(ReadOnlySpan<T> passRow, Span<T> target, PngPass pass, int channels)
    {
        var to = pass.StartX * channels;
        for (var from = 0; from < passRow.Length; from += channels, to += pass.StepX * channels)
        {
            for (var c = 0; c < channels; c++)
                target[to + c] = passRow[from + c];
        }
    }

    private void Fill(Stream inflater, Span<byte> rows)
    {
        var filled = Read(inflater, rows);
        if (filled < rows.Length)
        {
            throw new InvalidDataException(
                _compressed.RanDry
                    ? "The PNG's compressed data are cut off."
                    : $"The PNG's compressed data end before the last of {_header.Height} rows.");
        }
    }

    // The BCL's own words for broken data are about the entries of an archive.
    private static int Read(Stream inflater, Span<byte> bytes)
    {
        try
        {
            return inflater.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException failure)
        {
            throw Broken(failure);
        }
    }

    private void CheckEnd(Stream inflater)
    {
        // The inflater compares the checksum (Adler-32) when it reaches the end, which only one more read makes it do.
        Span<byte> more = stackalloc byte[1];
        if (Read(inflater, more) != 0)
        {
            throw new InvalidDataException(
                $"The PNG's compressed data hold more than its {_header.Width}x{_header.Height} pixels: the file is damaged.");
        }

        if (_compressed.RanDry)
            throw new InvalidDataException("The PNG's compressed data are cut off before their checksum.");
        if (_compressed.HasLeftOver)
            throw new InvalidDataException("The PNG has other bytes behind its compressed data: the file is damaged.");
    }
}
