using System.Buffers.Binary;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>A field of a Protocol Buffers message, with the fields inside where it looks like a message itself.</summary>
internal sealed class WireField
{
    private const int Deepest = 12;

    public required int Number { get; set; }

    /// <summary>0 a number of varying length, 1 eight bytes, 2 bytes or a message, 5 four bytes.</summary>
    public required int Wire { get; init; }

    /// <summary>The number, where it is one.</summary>
    public ulong Value { get; set; }

    public byte[] Bytes { get; set; } = [];

    /// <summary>The fields of the message; null where it is none.</summary>
    public List<WireField>? Fields { get; private init; }

    public bool IsText => Wire == 2 && Fields is null && Array.TrueForAll(Bytes, b => b is >= 0x20 and < 0x7F);

    /// <summary>The fields of a message; null where these bytes are none.</summary>
    public static List<WireField>? Parse(ReadOnlySpan<byte> bytes, int depth = 0)
    {
        var fields = new List<WireField>();
        while (!bytes.IsEmpty)
        {
            if (!Varint(ref bytes, out var tag) || tag >> 3 is 0 or > 1000)
                return null;
            var (number, wire) = ((int)(tag >> 3), (int)(tag & 7));
            var field = wire switch
            {
                0 when Varint(ref bytes, out var value) => new WireField { Number = number, Wire = 0, Value = value },
                1 when Take(ref bytes, 8, out var eight) =>
                    new WireField { Number = number, Wire = 1, Value = BinaryPrimitives.ReadUInt64LittleEndian(eight) },
                5 when Take(ref bytes, 4, out var four) =>
                    new WireField { Number = number, Wire = 5, Value = BinaryPrimitives.ReadUInt32LittleEndian(four) },
                2 when Varint(ref bytes, out var length) && Take(ref bytes, length, out var inside) => Delimited(number, inside, depth),
                _ => null,
            };
            if (field is null)
                return null;
            fields.Add(field);
        }

        return fields;
    }

    /// <summary>The message that these fields make.</summary>
    public static void Write(List<WireField> fields, List<byte> to)
    {
        foreach (var field in fields)
        {
            PutVarint(to, ((ulong)field.Number << 3) | (uint)field.Wire);
            switch (field.Wire)
            {
                case 0:
                    PutVarint(to, field.Value);
                    break;
                case 1:
                    to.AddRange(BitConverter.GetBytes(field.Value));
                    break;
                case 5:
                    to.AddRange(BitConverter.GetBytes((uint)field.Value));
                    break;
                default:
                    var inside = new List<byte>(field.Bytes);
                    if (field.Fields is not null)
                        Write(field.Fields, inside);
                    PutVarint(to, (ulong)inside.Count);
                    to.AddRange(inside);
                    break;
            }
        }
    }

    public WireField Copy() =>
        new() { Number = Number, Wire = Wire, Value = Value, Bytes = Bytes, Fields = Fields?.ConvertAll(field => field.Copy()) };

    // Text is kept as text, though some of it would be a message too.
    private static WireField Delimited(int number, ReadOnlySpan<byte> inside, int depth)
    {
        var isText = inside.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) < 0;
        var fields = isText || depth > Deepest ? null : Parse(inside, depth + 1);
        return new() { Number = number, Wire = 2, Bytes = fields is null ? inside.ToArray() : [], Fields = fields };
    }

    private static bool Take(ref ReadOnlySpan<byte> bytes, ulong count, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (count > (ulong)bytes.Length)
            return false;
        taken = bytes[..(int)count];
        bytes = bytes[(int)count..];
        return true;
    }

    private static bool Varint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && i < bytes.Length; i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    private static void PutVarint(List<byte> to, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            to.Add((byte)(value | 0x80));
        to.Add((byte)value);
    }
}
