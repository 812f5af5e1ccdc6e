using System.Buffers.Binary;

namespace SeparableConv.Tests.Support.Fuzz;

/// <summary>
/// Damages a file without knowing what it is: bits, bytes, words of four, pieces left out, doubled, moved or taken from another file.
/// </summary>
internal static class ByteMutator
{
    private const int LongestPiece = 64;

    /// <summary>A damaged copy.</summary>
    public static byte[] Mutate(byte[] file, byte[] other, Random random)
    {
        var bytes = file.ToArray();
        for (var left = Edges.Times(random); left > 0 && bytes.Length > 0; left--)
            bytes = Once(bytes, other, random);
        return bytes;
    }

    private static byte[] Once(byte[] bytes, byte[] other, Random random)
    {
        var at = random.Next(bytes.Length);
        var piece = Math.Min(random.Next(1, LongestPiece), bytes.Length - at);
        switch (random.Next(14))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 2:
                bytes[at] = (byte)Edges.Integer(random, bytes[at]);
                return bytes;
            case 3:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 4 or 5 or 6 or 7:
                Word(bytes, at & ~3, random);
                return bytes;
            case 8:
                return [.. bytes[..at], .. bytes[(at + piece)..]];
            case 9:
                return [.. bytes[..(at + piece)], .. bytes[at..]];
            case 10:
                return bytes[..at];
            case 11:
                bytes.AsSpan(at, piece).CopyTo(bytes.AsSpan(random.Next(bytes.Length - piece + 1)));
                return bytes;
            case 12:
                var from = random.Next(other.Length);
                var taken = other.AsSpan(from, Math.Min(piece, other.Length - from));
                taken.CopyTo(bytes.AsSpan(at));
                return bytes;
            default:
                return random.Next(8) == 0 ? [.. bytes[..at], .. other.AsSpan(random.Next(other.Length))] : bytes;
        }
    }

    // A word of four bytes may be an offset, a length or a number of elements.
    private static void Word(byte[] bytes, int at, Random random)
    {
        if (at + 4 > bytes.Length)
            return;
        var word = bytes.AsSpan(at, 4);
        var value = BinaryPrimitives.ReadInt32LittleEndian(word);
        var next = random.Next(5) switch
        {
            0 => (int)Edges.Integer(random, value),
            1 => value + (4 * random.Next(-8, 9)),
            2 => bytes.Length - at + random.Next(-8, 9),
            3 => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(random.Next(bytes.Length / 4) * 4, 4)),
            _ => (int)Edges.Integer(random, value),
        };
        BinaryPrimitives.WriteInt32LittleEndian(word, next);
    }
}
