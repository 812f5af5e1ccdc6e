using System.Security.Cryptography;
using System.Text;

namespace SeparableConv.Training;

/// <summary>
/// A few letters that tell a network from others: they follow from its inputs, its nodes with the types of what they give, and every number
/// that is stored. Batch size and metadata change nothing.
/// </summary>
internal static class NetworkFingerprint
{
    // Against mistakes, not against attacks: 64 bits are enough, and a line stays a line.
    private const int Bytes = 8;

    /// <summary>The letters.</summary>
    public static string Of(Network network)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var one = network.WithBatch(1);
        foreach (var input in one.Inputs)
            Add(hash, $"{input}");
        foreach (var node in one.Nodes)
        {
            Add(hash, node.Operator.Kind);
            foreach (var value in node.Inputs)
            {
                Add(hash, value?.Name ?? "");
                if (value?.Data is { } data)
                    hash.AppendData(data.Bytes);
            }

            foreach (var value in node.Outputs)
                Add(hash, $"{value}");
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, Bytes));
    }

    private static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + '\0'));
}
