namespace SeparableConv.Training;

/// <summary>How a data set is read.</summary>
public sealed record DataSetOptions
{
    /// <summary>The options where none are given.</summary>
    public static DataSetOptions Default { get; } = new();

    /// <summary>
    /// Rows that pictures of a folder are brought to; those of the first picture where null. Other formats have one size already, and
    /// another one is refused.
    /// </summary>
    public int? Height { get; init; }

    /// <summary>Columns; see <see cref="Height"/>.</summary>
    public int? Width { get; init; }

    /// <summary>1 to make the pictures of a folder gray, 3 for colour; as the first picture is where null.</summary>
    public int? Channels { get; init; }

    /// <summary>
    /// How pictures of a folder are fitted where their sides have another ratio; the network should be given its pictures the same way
    /// when it is used.
    /// </summary>
    public PictureFit Fit { get; init; } = PictureFit.Stretch;

    /// <summary>
    /// Whether a file of a folder that cannot be read is an error; otherwise it is left out and counted. Harmless flaws then count as well:
    /// see <see cref="SeparableConv.Imaging.ImageReadOptions.Strict"/>. Default false.
    /// </summary>
    public bool Strict { get; init; }

    /// <summary>
    /// The names of the classes; where null those that the format has, and numbers where it has none. A folder's classes are named after
    /// its folders. Pictures that are read without labels have none.
    /// </summary>
    public ClassLabels? Classes { get; init; }

    /// <summary>
    /// The most bytes of pixels; a file that claims more is refused before memory is taken for it. Default 4,294,967,296 (2^32).
    /// </summary>
    public long MaxBytes { get; init; } = 1L << 32;

    /// <summary>Throws where pictures that cannot be resized have another size than was asked for.</summary>
    /// <exception cref="ArgumentException">They have.</exception>
    internal void CheckSize(string name, int height, int width, int channels)
    {
        if ((Height ?? height) != height || (Width ?? width) != width || (Channels ?? channels) != channels)
        {
            throw new ArgumentException(
                $"'{name}' has pictures of {height}x{width}x{channels}, but {Height ?? height}x{Width ?? width}x{Channels ?? channels} "
                + "(height x width x channels) was asked for; only the pictures of a folder are resized: leave the size out.");
        }
    }
}
