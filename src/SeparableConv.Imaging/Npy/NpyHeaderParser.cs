using System.Globalization;

namespace SeparableConv.Imaging.Npy;

/// <summary>What an .npy file's header says, checked.</summary>
internal sealed record NpyHeader(ElementType Type, bool BigEndian, bool ColumnMajor, long[] Shape)
{
    /// <summary>Number of elements; cannot overflow, for the parser refuses shapes whose product does.</summary>
    public long Count
    {
        get
        {
            var count = 1L;
            foreach (var extent in Shape)
                count *= extent;
            return count;
        }
    }

    /// <summary>Shape as NumPy prints it.</summary>
    public string ShapeText => Shape.Length == 1 ? $"({Shape[0]},)" : $"({string.Join(", ", Shape)})";
}

/// <summary>
/// Parses the header of an .npy file: a Python dictionary literal with exactly the keys descr, fortran_order and shape.
/// Nothing else of Python is understood.
/// </summary>
internal ref struct NpyHeaderParser
{
    private const int MaxAxes = 32;
    private const int LongestString = 40;

    private readonly ReadOnlySpan<char> _text;
    private int _position;

    private NpyHeaderParser(ReadOnlySpan<char> text) => _text = text;

    /// <summary>Parses the dictionary.</summary>
    /// <exception cref="InvalidDataException">It is none, lacks a key, or names a type that is not supported.</exception>
    public static NpyHeader Parse(ReadOnlySpan<char> text)
    {
        var parser = new NpyHeaderParser(text);
        return parser.ParseDictionary();
    }

    private NpyHeader ParseDictionary()
    {
        string? descr = null;
        bool? columnMajor = null;
        long[]? shape = null;
        Expect('{');
        while (!TryTake('}'))
        {
            var key = ParseString();
            Expect(':');
            if (key == "descr" && descr is null)
                descr = ParseType();
            else if (key == "fortran_order" && columnMajor is null)
                columnMajor = ParseBoolean();
            else if (key == "shape" && shape is null)
                shape = ParseShape();
            else
                throw Broken($"key '{key}' is unknown or twice there");

            if (!TryTake(','))
            {
                Expect('}');
                break;
            }
        }

        SkipSpace();
        if (_position != _text.Length)
            throw Broken("something stands behind the dictionary");
        if (descr is null || columnMajor is null || shape is null)
            throw Broken("descr, fortran_order and shape are expected");

        var (type, bigEndian) = TypeOf(descr);
        CheckProduct(shape, type.Size());
        return new NpyHeader(type, bigEndian, columnMajor.Value, shape);
    }

    private static (ElementType Type, bool BigEndian) TypeOf(string descr)
    {
        // '<' little endian, '>' big endian, '|' where a single byte has no order, '=' the writer's own order.
        var type = descr.Length > 1 && descr[0] is '<' or '>' or '|' or '=' ? NpyTypes.FromName(descr.AsSpan(1)) : null;
        if (type is null || (descr[0] == '|' && type.Value.Size() > 1))
        {
            throw new InvalidDataException(
                $"The .npy file's type '{descr}' is not supported; b1, u1, i1, u2, i2, u4, i4, u8, i8, f2, f4 or f8 is expected: convert "
                + "it with numpy's astype.");
        }

        return (type.Value, descr[0] == '>' || (descr[0] == '=' && !BitConverter.IsLittleEndian));
    }

    private static void CheckProduct(long[] shape, int elementBytes)
    {
        Int128 bytes = elementBytes;
        foreach (var extent in shape)
        {
            // A zero makes the product zero, so larger extents are judged without it.
            bytes *= Math.Max(extent, 1);
            if (bytes > long.MaxValue)
                throw new InvalidDataException($"The .npy file claims the shape ({string.Join(", ", shape)}), more than 2^63 bytes.");
        }
    }

    private string ParseType()
    {
        SkipSpace();
        if (_position < _text.Length && _text[_position] is '[' or '(')
            throw new InvalidDataException("The .npy file holds records with named fields; a plain array of numbers is expected.");

        return ParseString();
    }

    private string ParseString()
    {
        SkipSpace();
        if (_position == _text.Length || _text[_position] is not ('\'' or '"'))
            throw Broken("a quoted string is expected");

        var rest = _text[(_position + 1)..];
        var end = rest.IndexOf(_text[_position]);
        if (end < 0 || rest[..end].Contains('\\'))
            throw Broken("a quoted string is expected");

        // It may be repeated in a message, which is a line.
        if (end > LongestString || rest[..end].ContainsAnyExceptInRange(' ', '~'))
            throw Broken($"a string of at most {LongestString} printable ASCII characters is expected");

        _position += end + 2;
        return rest[..end].ToString();
    }

    private bool ParseBoolean()
    {
        SkipSpace();
        foreach (var value in (ReadOnlySpan<bool>)[false, true])
        {
            var word = value.ToString();
            if (_text[_position..].StartsWith(word))
            {
                _position += word.Length;
                return value;
            }
        }

        throw Broken("True or False is expected");
    }

    private long[] ParseShape()
    {
        var shape = new List<long>();
        Expect('(');
        while (!TryTake(')'))
        {
            if (shape.Count == MaxAxes)
                throw Broken($"more than {MaxAxes} axes");

            shape.Add(ParseExtent());
            if (!TryTake(','))
            {
                Expect(')');
                break;
            }
        }

        return [.. shape];
    }

    private long ParseExtent()
    {
        SkipSpace();
        var start = _position;
        while (_position < _text.Length && char.IsAsciiDigit(_text[_position]))
            _position++;
        if (!long.TryParse(_text[start.._position], NumberStyles.None, CultureInfo.InvariantCulture, out var extent))
            throw Broken("an extent that is a whole number is expected");

        return extent;
    }

    private void Expect(char symbol)
    {
        if (!TryTake(symbol))
            throw Broken($"'{symbol}' is expected");
    }

    private bool TryTake(char symbol)
    {
        SkipSpace();
        if (_position == _text.Length || _text[_position] != symbol)
            return false;

        _position++;
        return true;
    }

    private void SkipSpace()
    {
        while (_position < _text.Length && _text[_position] is ' ' or '\t' or '\n' or '\r')
            _position++;
    }

    private readonly InvalidDataException Broken(string reason)
        => new($"The .npy file's header is broken at character {_position}: {reason}.");
}
