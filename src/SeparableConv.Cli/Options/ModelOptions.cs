using System.CommandLine;
using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Options;

/// <summary>An input and its shape, typed as <c>NAME=1x3x224x224</c>.</summary>
/// <param name="Name">The input.</param>
/// <param name="Lengths">One length a dimension, each above 0.</param>
internal sealed record NamedShape(string Name, int[] Lengths);

/// <summary>The argument and option for reading a network that several commands share.</summary>
internal static class ModelOptions
{
    /// <summary>Makes the argument for the network's file.</summary>
    public static Argument<string> Model()
    {
        var model = new Argument<string>("MODEL") { Description = "A network: ONNX or TensorFlow Lite, recognized by content." };
        model.Validators.Add(OptionValues.RefuseUnknownOptions);
        model.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }])
                result.AddError("The name of a file is empty.");
        });
        return model;
    }

    /// <summary>Makes the option for shapes of inputs that the file leaves open.</summary>
    public static Option<NamedShape[]> Shapes() => OptionValues.Several(
        "--shape",
        "NAME=1x3x224x224",
        "The shape of an input that the model leaves open, or with another batch than it has; may be repeated.",
        ParseShape);

    /// <summary>Reads a network.</summary>
    /// <exception cref="InputException">
    /// It cannot be read, is no network that is supported, or two shapes are for one input; the message names the file.
    /// </exception>
    public static Network Load(string path, NamedShape[]? shapes) => Load(path, shapes, new ModelReadOptions());

    /// <summary>Reads a network of which more is known than shapes that were typed.</summary>
    /// <exception cref="InputException">
    /// It cannot be read, is no network that is supported, or two shapes are for one input; the message names the file.
    /// </exception>
    public static Network Load(string path, NamedShape[]? shapes, ModelReadOptions options)
    {
        var byName = new Dictionary<string, TensorShape>();
        foreach (var shape in shapes ?? [])
        {
            if (!byName.TryAdd(shape.Name, new TensorShape(shape.Lengths)))
                throw new InputException($"--shape is given several times for '{shape.Name}'; give it once.");
        }

        if (Directory.Exists(path))
            throw new InputException($"'{path}' is a directory; the name of an ONNX or TensorFlow Lite file is expected.");
        try
        {
            return ModelFile.Load(path, options with { Shapes = byName });
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(path, e), e);
        }
    }

    private static NamedShape ParseShape(string text)
    {
        var equals = text.LastIndexOf('=');
        return equals > 0
            ? new NamedShape(text[..equals], OptionValues.Lengths(text[(equals + 1)..]))
            : throw new FormatException($"'{text}' names no input and shape; write NAME=1x3x224x224.");
    }
}
