using SeparableConv.Networks.Formats.TFLite;
using SeparableConv.Tests.Networks.Formats;
using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>
/// Damages the records of a TensorFlow Lite file before it is written: its offsets stay right, what they lead to does not.
/// </summary>
internal static class RecordMutator
{
    private static readonly BuiltinOperator[] s_known =
        [.. Enum.GetValues<BuiltinOperator>().Where(code => TFLiteOperators.Find(code) is not null)];

    /// <summary>A damaged copy.</summary>
    public static FlatRecord Mutate(FlatRecord file, Random random)
    {
        var copy = (FlatRecord)Copy(file);
        for (var left = Edges.Times(random); left > 0; left--)
        {
            var places = new List<(FlatRecord Record, int Field)>();
            Collect(copy, places);
            var (record, field) = places[random.Next(places.Count)];
            if (random.Next(6) == 0)
                Recode(copy, random);
            else if (random.Next(12) == 0)
                record.Remove(field);
            else
                record[field] = Changed(record[field], places, random);
        }

        return copy;
    }

    // Another operator reads the same inputs and options.
    private static void Recode(FlatRecord file, Random random)
    {
        if (file.TryGetValue(1, out var value) && value is FlatRecord[] { Length: > 0 } codes)
            codes[random.Next(codes.Length)] = new FlatRecord { [0] = (byte)127, [3] = (int)s_known[random.Next(s_known.Length)] };
    }

    private static object Copy(object value) => value switch
    {
        FlatRecord record => record.Aggregate(new FlatRecord(), (copy, field) =>
        {
            copy[field.Key] = Copy(field.Value);
            return copy;
        }),
        FlatRecord[] records => Array.ConvertAll(records, record => (FlatRecord)Copy(record)),
        Array array => array.Clone(),
        _ => value,
    };

    private static void Collect(FlatRecord record, List<(FlatRecord Record, int Field)> places)
    {
        foreach (var (field, value) in record)
        {
            places.Add((record, field));
            foreach (var part in value switch { FlatRecord one => [one], FlatRecord[] many => many, _ => [] })
                Collect(part, places);
        }
    }

    private static object Changed(object value, List<(FlatRecord Record, int Field)> places, Random random)
    {
        switch (value)
        {
            case byte b:
                return random.Next(2) == 0 ? (byte)random.Next(16) : (byte)Edges.Integer(random, b);
            case int i:
                return (int)Edges.Integer(random, i);
            case float f:
                return Edges.Float(random, f);
            case string text:
                return random.Next(3) switch { 0 => "", 1 => text + "\n\0\u0085", _ => new string('x', random.Next(300)) };
            case int[] numbers:
                return Changed(numbers, random, number => (int)Edges.Integer(random, number));
            case long[] numbers:
                return Changed(numbers, random, number => Edges.Integer(random, number));
            case float[] numbers:
                return Changed(numbers, random, number => Edges.Float(random, number));
            case byte[] bytes:
                return random.Next(3) == 0
                    ? new byte[random.Next(300)]
                    : Changed(bytes, random, number => (byte)Edges.Integer(random, number));
            case FlatRecord[] records:
                return Changed(records, random, record => record);
            default:
                var others = places.Where(place => place.Record[place.Field] is FlatRecord).ToArray();
                var (other, field) = others[random.Next(others.Length)];
                return Copy(other[field]);
        }
    }

    private static T[] Changed<T>(T[] values, Random random, Func<T, T> change)
    {
        if (values.Length == 0)
            return values;
        var at = random.Next(values.Length);
        switch (random.Next(8))
        {
            case 0:
                return [.. values[..at], .. values[(at + 1)..]];
            case 1:
                return [.. values[..at], .. values[at..(at + 1)], .. values[at..]];
            case 2:
                var other = random.Next(values.Length);
                (values[at], values[other]) = (values[other], values[at]);
                return values;
            default:
                values[at] = change(values[at]);
                return values;
        }
    }
}
