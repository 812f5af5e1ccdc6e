using System.CommandLine;
using SeparableConv.Networks;

namespace SeparableConv.Cli;

/// <summary>How networks are read, where several commands read them.</summary>
internal static class ModelOptions
{
    /// <summary>The network's file.</summary>
    public static Argument<string> Model()
    {
        var model = new Argument<string>("MODEL") { Description = "A network: ONNX or TensorFlow Lite, recognized by content." };
        model.Validators.Add(OptionValues.RefuseUnknownOptions);
        return model;
    }

    /// <summary>Shapes of inputs whose own are open.</summary>
    public static Option<NamedShape[]> Shapes() => OptionValues.Several(
        "--shape", "NAME=1x3x224x224", "The shape of an input that the model leaves open; may be repeated.", ParseShape);

    /// <summary>Reads the file.</summary>
    /// <exception cref="InputException">Two shapes are for one input.</exception>
    /// <exception cref="NetworkException">It is no network that is supported.</exception>
    public static Network Load(string path, NamedShape[]? shapes)
    {
        var byName = new Dictionary<string, TensorShape>();
        foreach (var shape in shapes ?? [])
        {
            if (!byName.TryAdd(shape.Name, new TensorShape(shape.Lengths)))
                throw new InputException($"--shape is given several times for '{shape.Name}'; give it once.");
        }

        return ModelFile.Load(path, byName);
    }

    private static NamedShape ParseShape(string text)
    {
        var equals = text.LastIndexOf('=');
        return equals > 0
            ? new NamedShape(text[..equals], OptionValues.Lengths(text[(equals + 1)..]))
            : throw new FormatException($"'{text}' names no input and shape; write NAME=1x3x224x224.");
    }
}
