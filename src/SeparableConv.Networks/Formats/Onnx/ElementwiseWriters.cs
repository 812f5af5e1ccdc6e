using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;
using static SeparableConv.Networks.Formats.Onnx.OnnxOutput;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Writes what is computed element by element or pixel by pixel, in the layout that its inputs are in.</summary>
internal static class ElementwiseWriters
{
    /// <summary>Channels are the last dimension here and the second one in ONNX.</summary>
    public static void BatchNormalization(OnnxOutput output, Node node)
    {
        var x = node.Inputs[0]!;
        var epsilon = Attribute("epsilon", ((BatchNormalizationOperator)node.Operator).Epsilon);
        var names = new string[5];
        for (var i = 1; i < names.Length; i++)
            names[i] = output.AsIs(node.Inputs[i]!);
        if (x.Shape.Rank is 4)
        {
            names[0] = output.First(x);
            output.SetFirst(node.Outputs[0], output.Node("BatchNormalization", node.Name, names, epsilon));
            return;
        }

        // Any other number of dimensions is a list of pixels.
        names[0] = x.Shape.Rank == 2 ? output.AsIs(x) : output.Node("Reshape", $"{node.Name}/pixels", [output.AsIs(x), output.Numbers($"{node.Name}/pixels_shape", [-1, x.Shape[^1]])]);
        var y = output.Node("BatchNormalization", node.Name, names, epsilon);
        output.SetAsIs(node.Outputs[0], x.Shape.Rank == 2 ? y : output.Node("Reshape", $"{node.Name}/reshaped", [y, output.Numbers($"{node.Name}/shape", x.Shape.Lengths)]));
    }

    public static void Activation(OnnxOutput output, Node node)
    {
        var (x, activation) = (node.Inputs[0]!, ((ActivationOperator)node.Operator).Activation);
        var first = output.PrefersFirst(x);
        output.Set(node.Outputs[0], ActivationWriter.Apply(output, activation, output.InLayout(x, first), node.Name, x.Shape.Rank, first), first);
    }

    public static void PRelu(OnnxOutput output, Node node) => Aligned(output, node, names => output.Node("PRelu", node.Name, names));

    public static void Clip(OnnxOutput output, Node node)
    {
        var op = (ClipOperator)node.Operator;
        var element = node.Inputs[0]!.Type.Element;
        string Bound(string name, double bound) => double.IsInfinity(bound) ? "" : output.Constant(
            $"{node.Name}/{name}", Evaluator.Run(new CastOperator(element), TensorData.Create([bound]))[0]);
        Same(output, node, x => output.Node("Clip", node.Name, [x, Bound("min", op.Minimum), Bound("max", op.Maximum)]));
    }

    public static void Unary(OnnxOutput output, Node node) =>
        Same(output, node, x => output.Node(((UnaryOperator)node.Operator).UnaryKind.ToString(), node.Name, [x]));

    public static void Binary(OnnxOutput output, Node node)
    {
        var op = (BinaryOperator)node.Operator;
        Aligned(output, node, names => op.BinaryKind switch
        {
            BinaryKind.FMod => output.Node("Mod", node.Name, names, Attribute("fmod", 1)),
            var kind => output.Node(kind.ToString(), node.Name, names),
        }, op.Activation);
    }

    public static void Where(OnnxOutput output, Node node) => Aligned(output, node, names => output.Node("Where", node.Name, names));

    public static void Cast(OnnxOutput output, Node node) =>
        Same(output, node, x => output.Node("Cast", node.Name, [x], Attribute("to", OnnxElements.Write(((CastOperator)node.Operator).Element))));

    public static void Dropout(OnnxOutput output, Node node) =>
        Same(output, node, x => output.Node("Dropout", node.Name, [x, output.Constant($"{node.Name}/ratio", [((DropoutOperator)node.Operator).Rate])]));

    public static void Softmax(OnnxOutput output, Node node) => AlongAxis(output, node, "Softmax", ((SoftmaxOperator)node.Operator).Axis);

    public static void LogSoftmax(OnnxOutput output, Node node) => AlongAxis(output, node, "LogSoftmax", ((LogSoftmaxOperator)node.Operator).Axis);

    public static void Quantize(OnnxOutput output, Node node)
    {
        var op = (QuantizeOperator)node.Operator;

        // Without a zero point ONNX has uint8; any other type needs one.
        var zeroPoint = node.Inputs.Count > 2 && node.Inputs[2] is { } given ? output.AsIs(given)
            : output.Constant($"{node.Name}/zero_point", TensorData.CreateZeros(new(op.Element, node.Inputs[1]!.Shape)));
        Scaled(output, node, "QuantizeLinear", op.Axis, zeroPoint);
    }

    public static void Dequantize(OnnxOutput output, Node node) => Scaled(
        output, node, "DequantizeLinear", ((DequantizeOperator)node.Operator).Axis, node.Inputs.Count > 2 && node.Inputs[2] is { } zeroPoint ? output.AsIs(zeroPoint) : "");

    /// <summary>Writes a node of one input in the layout that this is in.</summary>
    private static void Same(OnnxOutput output, Node node, Func<string, string> write)
    {
        var x = node.Inputs[0]!;
        var first = output.PrefersFirst(x);
        output.Set(node.Outputs[0], write(output.InLayout(x, first)), first);
    }

    private static void AlongAxis(OnnxOutput output, Node node, string type, int axis)
    {
        var x = node.Inputs[0]!;
        var first = output.PrefersFirst(x);
        axis += axis < 0 ? x.Shape.Rank : 0;
        output.Set(node.Outputs[0], output.Node(type, node.Name, [output.InLayout(x, first)], Attribute("axis", first ? FirstAxis(axis) : axis)), first);
    }

    private static void Scaled(OnnxOutput output, Node node, string type, int axis, string zeroPoint)
    {
        var x = node.Inputs[0]!;
        var first = output.PrefersFirst(x);
        axis += axis < 0 ? x.Shape.Rank : 0;
        var y = output.Node(type, node.Name, [output.InLayout(x, first), output.AsIs(node.Inputs[1]!), zeroPoint], Attribute("axis", first ? FirstAxis(axis) : axis));
        output.Set(node.Outputs[0], y, first);
    }

    /// <summary>Writes a node whose inputs broadcast: channels first where the images are, and the smaller inputs are constants that can be rearranged.</summary>
    private static void Aligned(OnnxOutput output, Node node, Func<string[], string> write, Activation? activation = null)
    {
        var images = node.Inputs.Where(input => input!.Shape.Rank == 4 && !input.IsConstant).ToArray();
        var others = node.Inputs.Where(input => input!.Shape.Rank != 4 || input.IsConstant);
        var first = images.Length > 0 && output.PrefersFirst(images) && others.All(input => input!.IsConstant && input.Shape.Rank <= 4);
        var names = new string[node.Inputs.Count];
        for (var i = 0; i < names.Length; i++)
            names[i] = first ? Widened(output, node.Inputs[i]!) : output.AsIs(node.Inputs[i]!);
        var y = write(names);
        if (activation is not null)
            y = ActivationWriter.Apply(output, activation, y, $"{node.Name}/activation", node.Outputs[0].Shape.Rank, first);
        output.Set(node.Outputs[0], y, first);
    }

    private static string Widened(OnnxOutput output, Value value)
    {
        if (value.Constant is not { } data || value.Shape.ElementCount == 1 || value.Shape.Rank == 4)
            return value.Shape.ElementCount == 1 && value.IsConstant ? output.AsIs(value) : output.First(value);
        var lengths = new int[4];
        lengths.AsSpan().Fill(1);
        value.Shape.Lengths.CopyTo(lengths.AsSpan(4 - value.Shape.Rank));
        return output.Constant($"{value.Name}/nchw", Transposed(Reshaped(data, lengths), 0, 3, 1, 2));
    }
}
