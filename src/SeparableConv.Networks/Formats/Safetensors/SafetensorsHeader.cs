namespace SeparableConv.Networks.Formats.Safetensors;

/// <summary>What a file holds: its tensors one behind the other, and what its writer noted. It is checked when it is made.</summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The key of the notes, which no tensor may have as its name.</summary>
    public const string MetadataKey = "__metadata__";

    /// <summary>The most bytes that a header may have; the specification says so.</summary>
    public const int MaxBytes = 100_000_000;

    /// <param name="entries">The tensors in any order.</param>
    /// <param name="metadata">The notes.</param>
    /// <param name="what">The file, to begin a message with.</param>
    /// <exception cref="NetworkException">A tensor's bytes are not those of its type, or bytes are nobody's or of two tensors.</exception>
    public SafetensorsHeader(IEnumerable<SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata, string what)
    {
        Entries = [.. entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End)];
        Metadata = metadata;
        foreach (var entry in Entries)
        {
            var name = OneLine.Of(entry.Name);
            if (entry.End < entry.Begin || entry.End - entry.Begin != entry.StoredBytes)
            {
                throw Damaged(
                    what,
                    $"tensor '{name}' has the data_offsets {entry.Begin} and {entry.End}, but {entry.Type}"
                    + $"{(entry.IsBrainFloat ? $" from {SafetensorsTypes.BrainFloat}" : "")} takes {entry.StoredBytes} bytes");
            }

            if (entry.Begin != DataBytes)
            {
                throw Damaged(
                    what,
                    $"tensor '{name}' begins at byte {entry.Begin} of the data, the one before it ends at {DataBytes}; "
                    + "expected one behind the other, without hole and overlap");
            }

            DataBytes = entry.End;
        }
    }

    /// <summary>The tensors, in the order of their data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>What the writer of the file noted.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Bytes that all tensors take in the file.</summary>
    public long DataBytes { get; }

    /// <summary>The refusal of a file that is not as it must be.</summary>
    public static NetworkException Damaged(string what, string detail, Exception? inner = null)
    {
        var message = $"{what} is no safetensors file, or is damaged: {detail}. Write or copy it again.";
        return inner is null ? new(message) : new(message, inner);
    }
}
