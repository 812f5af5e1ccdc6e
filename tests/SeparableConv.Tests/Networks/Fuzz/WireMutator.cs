using System.Text;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>Damages the fields of an ONNX file: its lengths stay right, what lies between them does not.</summary>
internal static class WireMutator
{
    private const int TypeOfNode = 4;
    private static readonly byte[][] s_operators = [.. OnnxOperators.Readable.Order(StringComparer.Ordinal).Select(Encoding.UTF8.GetBytes)];
    private static readonly HashSet<string> s_names = [.. OnnxOperators.Readable];

    /// <summary>A damaged copy; null where the bytes are no message.</summary>
    public static byte[]? Mutate(byte[] file, byte[] other, Random random)
    {
        if (WireField.Parse(file) is not { Count: > 0 } fields)
            return null;
        var given = new List<(List<WireField>, WireField)>();
        Collect(WireField.Parse(other) ?? [], given);
        for (var left = Edges.Times(random); left > 0; left--)
        {
            var places = new List<(List<WireField> Parent, WireField Field)>();
            Collect(fields, places);
            if (places.Count > 0)
                Once(places, given, random);
        }

        var bytes = new List<byte>();
        WireField.Write(fields, bytes);
        return [.. bytes];
    }

    private static void Collect(List<WireField> fields, List<(List<WireField> Parent, WireField Field)> places)
    {
        foreach (var field in fields)
        {
            places.Add((fields, field));
            if (field.Fields is not null)
                Collect(field.Fields, places);
        }
    }

    private static void Once(
        List<(List<WireField> Parent, WireField Field)> places, List<(List<WireField> Parent, WireField Field)> given, Random random)
    {
        var (parent, field) = places[random.Next(places.Count)];
        switch (random.Next(16))
        {
            case 0:
                parent.Remove(field);
                break;
            case 1:
                parent.Add(field.Copy());
                break;
            case 2:
                field.Number = random.Next(1, 25);
                break;
            case 3:
                parent.Reverse();
                break;
            case 4 or 5 when given.Count > 0:
                parent.Add(given[random.Next(given.Count)].Field.Copy());
                break;
            case 6 or 7:
                // Another operator gets the same inputs and attributes.
                var types = places
                    .Where(place => place.Field.Number == TypeOfNode && place.Field.IsText)
                    .Where(place => s_names.Contains(Encoding.ASCII.GetString(place.Field.Bytes)))
                    .ToArray();
                if (types.Length > 0)
                    types[random.Next(types.Length)].Field.Bytes = s_operators[random.Next(s_operators.Length)];
                break;
            case 8 or 9:
                // Numbers are shapes, attributes and types of elements.
                var numbers = places.Where(place => place.Field.Wire == 0).ToArray();
                if (numbers.Length > 0)
                    Change(numbers[random.Next(numbers.Length)].Field, given, random);
                break;
            default:
                Change(field, given, random);
                break;
        }
    }

    private static void Change(WireField field, List<(List<WireField> Parent, WireField Field)> given, Random random)
    {
        if (field.Fields is { } fields)
        {
            if (fields.Count > 0)
                fields.RemoveAt(random.Next(fields.Count));
        }
        else if (field.Wire == 0)
        {
            field.Value = (ulong)Edges.Integer(random, (long)field.Value);
        }
        else if (field.Wire == 5)
        {
            field.Value = BitConverter.SingleToUInt32Bits(Edges.Float(random, BitConverter.UInt32BitsToSingle((uint)field.Value)));
        }
        else if (field.IsText && random.Next(4) > 0)
        {
            var texts = given.Where(place => place.Field.IsText).ToArray();
            if (texts.Length > 0)
                field.Bytes = texts[random.Next(texts.Length)].Field.Bytes;
        }
        else if (field.Bytes.Length > 0)
        {
            field.Bytes = ByteMutator.Mutate(field.Bytes, field.Bytes, random);
        }
        else
        {
            field.Bytes = new byte[random.Next(40)];
        }
    }
}
