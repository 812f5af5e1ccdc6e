namespace SeparableConv.Training.Data;

/// <summary>
/// Pictures of one size, one behind the other in blocks of about a megabyte: memory grows with the bytes that arrive, whatever a header
/// claims, and no picture is ever copied to grow.
/// </summary>
internal sealed class PictureStore
{
    /// <summary>More bytes than any picture that a network is trained on has.</summary>
    public const int MostPictureBytes = 1 << 26;

    private const int BlockBytes = 1 << 20;

    private readonly List<byte[]> _blocks = [];
    private readonly string _name;
    private readonly int _pictureBytes;
    private readonly int _inBlock;
    private readonly long _maxBytes;

    /// <summary>Prepares for pictures of a size that comes unchecked from a file.</summary>
    /// <param name="name">The file, for messages.</param>
    /// <param name="pictureBytes">Bytes of a picture.</param>
    /// <param name="maxBytes">The most that is kept in all.</param>
    /// <exception cref="InvalidDataException">A picture has no bytes, or too many.</exception>
    public PictureStore(string name, Int128 pictureBytes, long maxBytes)
    {
        if (pictureBytes < 1 || pictureBytes > MostPictureBytes)
        {
            throw new InvalidDataException(
                $"'{name}' has pictures of {pictureBytes} bytes; 1 to {MostPictureBytes} are expected: is it damaged, or another kind of "
                + "file?");
        }

        (_name, _pictureBytes, _maxBytes) = (name, (int)pictureBytes, maxBytes);
        _inBlock = Math.Max(1, BlockBytes / _pictureBytes);
    }

    /// <summary>How many pictures there are.</summary>
    public int Count { get; private set; }

    /// <summary>The pixels of a picture.</summary>
    public ReadOnlySpan<byte> this[int index] => Place(index);

    /// <summary>Refuses a number of pictures that a file claims before the first is read.</summary>
    /// <exception cref="InvalidDataException">There are none, or more than allowed.</exception>
    public void CheckCount(Int128 count)
    {
        if (count < 1)
            throw new InvalidDataException($"'{_name}' has no pictures; at least one is expected.");
        if (count > int.MaxValue || count * _pictureBytes > _maxBytes)
        {
            throw new InvalidDataException(
                $"'{_name}' claims {count} pictures of {_pictureBytes} bytes, more than the limit of {_maxBytes} bytes; raise "
                + $"{nameof(DataSetOptions.MaxBytes)} if the file is trusted.");
        }
    }

    /// <summary>Makes room for one more picture and gives it, to be filled.</summary>
    /// <exception cref="InvalidDataException">There would be more than allowed.</exception>
    public Span<byte> Add()
    {
        CheckCount((Int128)Count + 1);
        if (Count % _inBlock == 0)
            _blocks.Add(new byte[_inBlock * _pictureBytes]);
        return Place(Count++);
    }

    private Span<byte> Place(int index) => _blocks[index / _inBlock].AsSpan(index % _inBlock * _pictureBytes, _pictureBytes);
}
