using System.CommandLine;
using SeparableConv.Cli.Pictures;
using SeparableConv.Networks.Pictures;

namespace SeparableConv.Cli.Options;

/// <summary>Labelled pictures as they are typed: a path, or <c>shapes[:COUNT[:SIZE[:SEED]]]</c> for drawn ones.</summary>
/// <param name="Text">What was typed.</param>
/// <param name="IsShapes">Whether pictures are drawn.</param>
/// <param name="Count">How many are drawn.</param>
/// <param name="Size">Their rows and columns; null where nothing was said.</param>
/// <param name="Seed">What they follow from.</param>
internal sealed record DataSource(string Text, bool IsShapes, int Count, int? Size, int Seed)
{
    private const string Shapes = "shapes";
    private const int UsualCount = 12_000;
    private const int UsualSize = 32;

    /// <summary>Makes the argument.</summary>
    public static Argument<DataSource> Argument()
    {
        var argument = new Argument<DataSource>("DATA")
        {
            Description = "Labelled pictures: a folder with a folder a class, IDX (MNIST), CIFAR or .npy files; or "
                + $"shapes[:COUNT[:SIZE[:SEED]]], which are drawn, {UsualCount} of {UsualSize} pixels by default.",
            CustomParser = result => OptionValues.Parse(result, "DATA", Parse),
        };
        argument.Validators.Add(OptionValues.RefuseUnknownOptions);
        return argument;
    }

    /// <summary>Makes an option that takes the same.</summary>
    public static Option<DataSource?> Option(string name, string description) =>
        OptionValues.Parsed<DataSource?>(name, "DATA", description, Parse);

    /// <summary>Reads what was typed.</summary>
    /// <exception cref="FormatException">It names no data.</exception>
    public static DataSource Parse(string text)
    {
        if (text.Length == 0)
            throw new FormatException("The name of a folder or file is empty.");
        var parts = text.Split(':');
        if (parts[0] != Shapes)
            return new(text, IsShapes: false, 0, null, 0);
        if (parts.Length > 4)
            throw new FormatException($"'{text}' has {parts.Length - 1} numbers; write shapes[:COUNT[:SIZE[:SEED]]].");
        return new(
            text,
            IsShapes: true,
            parts.Length > 1 ? OptionValues.WholeNumber(parts[1], 1) : UsualCount,
            parts.Length > 2 ? OptionValues.WholeNumber(parts[2], 1) : null,
            parts.Length > 3 ? OptionValues.WholeNumber(parts[3], 0) : 0);
    }

    /// <summary>Reads or draws the pictures.</summary>
    /// <param name="size">What pictures of folders are resized to, and drawn ones without a size are drawn in; null for their own.</param>
    /// <param name="channels">What pictures of folders are made: 1 gray, 3 colour; null for their own.</param>
    /// <param name="isStrict">Whether a file that cannot be read is an error.</param>
    /// <exception cref="InputException">They cannot be read; the message names the path.</exception>
    public PictureDataSet Load(Size2D? size, int? channels, bool isStrict)
    {
        try
        {
            if (!IsShapes)
            {
                return PictureDataSet.Load(
                    Text, new() { Height = size?.Height, Width = size?.Width, Channels = channels, Strict = isStrict });
            }

            if (size is { } drawn && drawn.Height != drawn.Width)
                throw new InputException($"Shapes are drawn in squares, but {drawn.Height}x{drawn.Width} was asked for; give one number.");
            return PictureDataSet.Shapes(Count, Size ?? size?.Height ?? UsualSize, Seed);
        }
        catch (Exception e) when (Failure.IsExpected(e) && e is not InputException)
        {
            throw new InputException(PictureFile.Named(Text, e), e);
        }
    }

    /// <summary>Reads or draws the pictures in the size that a network takes, where that can be chosen.</summary>
    /// <exception cref="InputException">They cannot be read; the message names the path.</exception>
    public PictureDataSet Load(PictureLayout layout, bool isStrict)
    {
        // Only pictures of folders are resized; others keep their size, and are refused later where it is another.
        var isFolder = Directory.Exists(Text) && Directory.EnumerateDirectories(Text).Any();
        return IsShapes || isFolder
            ? Load(new Size2D(layout.Height, layout.Width), layout.Channels, isStrict)
            : Load(null, null, isStrict);
    }

    /// <summary>Reads or draws pictures whose labels are not needed, in the size that a network takes, where that can be chosen.</summary>
    /// <exception cref="InputException">They cannot be read; the message names the path.</exception>
    public PictureDataSet LoadPictures(PictureLayout layout, bool isStrict)
    {
        if (IsShapes)
            return Load(layout, isStrict);
        try
        {
            // Numbers of the files of other formats are as large as they are.
            var isFolder = Directory.Exists(Text) && !Directory.EnumerateFiles(Text).Any(IsNumbers);
            return PictureDataSet.LoadPictures(Text, isFolder
                ? new() { Height = layout.Height, Width = layout.Width, Channels = layout.Channels, Strict = isStrict }
                : new() { Strict = isStrict });
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(Text, e), e);
        }

        static bool IsNumbers(string file) =>
            Path.GetFileName(file) is var name && (name.Contains("ubyte") || name.EndsWith(".bin") || name.EndsWith(".npy"));
    }

    /// <summary>Tells people of files that were left out.</summary>
    public static void PrintSkipped(PictureDataSet data, TextWriter output)
    {
        if (data.SkippedCount == 0)
            return;
        output.WriteLine(
            $"{data.SkippedCount} {(data.SkippedCount == 1 ? "file" : "files")} could not be read and left out (--strict refuses that):");
        foreach (var example in data.SkippedExamples)
            output.WriteLine("  " + Failure.OneLine(example));
    }
}
