using System.Text;
using System.Text.Json;

namespace SeparableConv.Networks.Formats.Safetensors;

/// <summary>
/// Reads a header's text token by token: one object, which has an object of dtype, shape and data_offsets for each tensor. Nothing else
/// is accepted, so that what is kept is in proportion to the text.
/// </summary>
internal ref struct SafetensorsHeaderParser
{
    // An object of objects of lists.
    private const int MaxDepth = 3;
    private const int MostCharactersShown = 40;

    private readonly string _what;
    private Utf8JsonReader _json;

    private SafetensorsHeaderParser(ReadOnlySpan<byte> text, string what)
    {
        _json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
        _what = what;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="text">The header, without its length.</param>
    /// <param name="what">The file, to begin a message with.</param>
    /// <exception cref="NetworkException">It is not what a header must be; the message says where.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> text, string what)
    {
        // The specification wants the bracket first; behind the header there may be spaces.
        if (text.IsEmpty || text[0] != (byte)'{')
        {
            var first = text.IsEmpty ? "is empty" : $"begins with byte {text[0]}";
            throw SafetensorsHeader.Damaged(what, $"its header {first}; expected '{{'");
        }

        try
        {
            return new SafetensorsHeaderParser(text, what).ParseHeader();
        }
        catch (JsonException e)
        {
            throw SafetensorsHeader.Damaged(
                what, $"its header is no JSON of this format at byte {e.BytePositionInLine} of line {e.LineNumber + 1}", e);
        }
    }

    private SafetensorsHeader ParseHeader()
    {
        _json.Read();
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>();
        Dictionary<string, string>? metadata = null;
        while (NextName() is { } name)
        {
            if (!names.Add(name))
                throw Damaged($"its header has the name '{OneLine.Of(name)}' twice; expected every name once");
            if (name == SafetensorsHeader.MetadataKey)
                metadata = ParseMetadata();
            else
                entries.Add(ParseEntry(name));
        }

        // Throws where more than spaces follows.
        _json.Read();
        return new SafetensorsHeader(entries, metadata ?? [], _what);
    }

    private Dictionary<string, string> ParseMetadata()
    {
        Expect(JsonTokenType.StartObject, SafetensorsHeader.MetadataKey, "an object of strings");
        var metadata = new Dictionary<string, string>();
        while (NextName() is { } key)
        {
            Expect(JsonTokenType.String, SafetensorsHeader.MetadataKey, $"a string for '{OneLine.Of(key)}'");
            if (!metadata.TryAdd(key, Text()))
                throw Damaged($"its {SafetensorsHeader.MetadataKey} has the key '{OneLine.Of(key)}' twice; expected every key once");
        }

        return metadata;
    }

    private SafetensorsEntry ParseEntry(string name)
    {
        const string Dtype = "dtype", Shape = "shape", Offsets = "data_offsets";
        var shown = OneLine.Of(name);
        Expect(JsonTokenType.StartObject, shown, $"an object of {Dtype}, {Shape} and {Offsets}");
        string? dtype = null;
        List<long>? lengths = null, offsets = null;
        while (NextName() is { } field)
        {
            switch (field)
            {
                case Dtype when dtype is null:
                    Expect(JsonTokenType.String, shown, $"a string for {Dtype}");
                    dtype = Text();
                    break;
                case Shape when lengths is null:
                    lengths = ParseNumbers(shown, Shape);
                    break;
                case Offsets when offsets is null:
                    offsets = ParseNumbers(shown, Offsets);
                    break;
                default:
                    throw Damaged(
                        $"tensor '{shown}' has a field '{OneLine.Of(field)}'; expected {Dtype}, {Shape} and {Offsets}, each once");
            }
        }

        if (dtype is null || lengths is null || offsets is not [var begin, var end])
        {
            var missing = dtype is null ? $"no {Dtype}" : lengths is null ? $"no {Shape}"
                : offsets is null ? $"no {Offsets}" : $"{offsets.Count} {Offsets}";
            throw Damaged($"tensor '{shown}' has {missing}; expected {Dtype}, {Shape} and two {Offsets}");
        }

        var what = $"Tensor '{shown}'";
        var type = new TensorType(SafetensorsTypes.Read(dtype, what), FileShape.Read(lengths, what));
        return type.Bytes <= Array.MaxLength
            ? new(name, type, dtype == SafetensorsTypes.BrainFloat, begin, end)
            : throw new NetworkException(
                $"{what} is {type}, {type.Bytes} bytes; one tensor can hold {Array.MaxLength}: save it in parts.");
    }

    private List<long> ParseNumbers(string name, string field)
    {
        Expect(JsonTokenType.StartArray, name, $"a list for {field}");
        var numbers = new List<long>();
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (_json.TokenType != JsonTokenType.Number || !_json.TryGetInt64(out var number) || number < 0)
                throw Damaged($"tensor '{name}' has {Shown()} in its {field}; expected whole numbers from 0 to {long.MaxValue}");
            if (numbers.Count == FileShape.MaxRank)
            {
                throw new NetworkException(
                    $"Tensor '{name}' has a {field} of more than {numbers.Count} numbers; at most {numbers.Count} are read.");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    // The next name of the object that is being read; null at its end.
    private string? NextName()
    {
        _json.Read();
        return _json.TokenType == JsonTokenType.EndObject ? null : Text();
    }

    private void Expect(JsonTokenType token, string name, string expected)
    {
        _json.Read();
        if (_json.TokenType != token)
            throw Damaged($"'{name}' has {Shown()}; expected {expected}");
    }

    private readonly string Text()
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw SafetensorsHeader.Damaged(_what, $"its header has text that is no UTF-8 near byte {_json.TokenStartIndex}", e);
        }
    }

    private readonly string Shown() => _json.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "a list",
        JsonTokenType.String => "a string",
        _ => OneLine.Clean(Encoding.UTF8.GetString(_json.ValueSpan[..Math.Min(MostCharactersShown, _json.ValueSpan.Length)])),
    };

    private readonly NetworkException Damaged(string detail) => SafetensorsHeader.Damaged(_what, detail);
}
