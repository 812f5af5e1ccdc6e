using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>
/// Reads what a network is run on, and takes from it the shapes of inputs that the model leaves open: batch, height and width of a tensor,
/// height and width of a picture.
/// </summary>
internal sealed class OpenShapes(RunSettings settings, Terminal terminal)
{
    private (string Path, Image Image)? _last;
    private OpenInput? _open;
    private TensorShape _shape;

    /// <summary>Standard input and output.</summary>
    public Terminal Terminal => terminal;

    /// <summary>A picture; the last one is kept, since its size may be asked for first.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public Image Picture(string path)
    {
        if (_last is { } last && last.Path == path)
            return last.Image;
        var image = PictureFile.Load(path, terminal, settings.Reading).Image;
        _last = (path, image);
        return image;
    }

    /// <summary>
    /// Named tensors of one dimension or none: they may decide on shapes, as those of ONNX's Reshape do, and are known when the model is
    /// loaded. What they do not decide on stays an input.
    /// </summary>
    /// <exception cref="InputException">One cannot be read.</exception>
    public IReadOnlyDictionary<string, TensorData> Known()
    {
        var known = new Dictionary<string, TensorData>();
        foreach (var (name, file) in settings.Named)
        {
            if (TensorFile.ShapeOf(file).Length <= 1)
                known[name] = TensorFile.Data(file);
        }

        return known;
    }

    /// <summary>The shape of an input that is open, for the image that is run first.</summary>
    /// <exception cref="InputException">What the input is given cannot be read.</exception>
    public TensorShape? Of(OpenInput input, string? image)
    {
        if (settings.Named.FirstOrDefault(named => named.Name == input.Name) is { } named)
            return Widened(TensorFile.ShapeOf(named.File), input);
        if (image is null || Sized(input, image) is not { } shape)
            return null;
        (_open, _shape) = (input, shape);
        return shape;
    }

    /// <summary>Whether the network that was loaded suits an image: it does not where its open input has another shape now.</summary>
    /// <exception cref="InputException">The image cannot be read.</exception>
    public bool Suits(string? image) => _open is null || image is null || Sized(_open, image) == _shape;

    private TensorShape? Sized(OpenInput input, string image)
    {
        if (image != Terminal.Dash && TensorFile.Is(image))
            return Widened(TensorFile.ShapeOf(image), input);
        var lengths = input.Lengths;
        if (lengths.Count is not (3 or 4))
            return null;

        // Channels are where the model says 1 or 3; where it says nothing they are first, as exporters of open shapes have them.
        var picture = Picture(image);
        var isLast = lengths[^1] is 1 or 3 && lengths[^3] is not (1 or 3);
        int[] own = isLast
            ? [lengths[^3] ?? picture.Height, lengths[^2] ?? picture.Width, lengths[^1]!.Value]
            : [lengths[^3] ?? 3, lengths[^2] ?? picture.Height, lengths[^1] ?? picture.Width];
        return new TensorShape(lengths.Count == 3 ? own : [lengths[0] ?? 1, .. own]);
    }

    // A leading length of 1 may be left out.
    private static TensorShape? Widened(int[] shape, OpenInput input) => shape.Length <= input.Lengths.Count
        ? new TensorShape([.. Enumerable.Repeat(1, input.Lengths.Count - shape.Length), .. shape])
        : null;
}
