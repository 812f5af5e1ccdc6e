using Google.Protobuf;
using SeparableConv.Networks.Formats.TFLite;
using SeparableConv.Tests.Networks.Formats;

namespace SeparableConv.Tests.Cli;

/// <summary>Tiny networks whose outputs are their inputs, so that what reaches them can be read off.</summary>
internal static class RunModels
{
    /// <summary>An input of one picture, and its numbers as classes.</summary>
    public static void SaveClassifier(string path, ElementType element, int[] shape, params (float Scale, int ZeroPoint)[] quantization)
    {
        var classes = shape.Aggregate(1, (count, length) => count * length);
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(element, shape, quantization);
        file.Constant([1, classes], [2]);
        file.Tensor(element, [1, classes], quantization);
        file.Operator(BuiltinOperator.RESHAPE, [0, 1], [2]);
        File.WriteAllBytes(path, file.ToBytes());
    }

    /// <summary>Inputs t0 and t1 of shape (1, 2), joined to the output t2 of shape (1, 4).</summary>
    public static void SaveJoiner(string path)
    {
        var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
        file.Tensor(ElementType.Float32, [1, 2]);
        file.Tensor(ElementType.Float32, [1, 2]);
        file.Tensor(ElementType.Float32, [1, 4]);
        file.Operator(BuiltinOperator.CONCATENATION, [0, 1], [2], 10, new FlatRecord { [0] = 1 });
        File.WriteAllBytes(path, file.ToBytes());
    }

    /// <summary>A picture of 2x2x3 floats, and its numbers twice: "a/b:0" in shape (2, 6) and "a_b:0" in shape (12).</summary>
    public static void SaveTwoOutputs(string path)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [3, 4] };
        file.Tensor(ElementType.Float32, [1, 2, 2, 3]);
        file.Constant([2, 6], [2]);
        file.Constant([12], [1]);
        file.Tensor(ElementType.Float32, [2, 6]);
        file.Tensor(ElementType.Float32, [12]);
        file.Tensors[3][3] = "a/b:0";
        file.Tensors[4][3] = "a_b:0";
        file.Operator(BuiltinOperator.RESHAPE, [0, 1], [3]);
        file.Operator(BuiltinOperator.RESHAPE, [0, 2], [4]);
        File.WriteAllBytes(path, file.ToBytes());
    }

    /// <summary>A picture x of open batch, height and width, (N, 3, H, W), and its numbers as y.</summary>
    public static void SaveOpen(string path) =>
        Save(new OnnxBuilder().Input("x", "N", "3", "", "").Node("Relu", ["x"], ["y"]).Output("y"), path);

    /// <summary>Six numbers x and a shape, and the numbers in that shape as y.</summary>
    public static void SaveReshape(string path)
    {
        var model = new OnnxBuilder().Input("x", "6").Input("shape", "2").Node("Reshape", ["x", "shape"], ["y"]).Output("y");
        model.Model.Graph.Input[1].Type.TensorType.ElemType = 7;
        Save(model, path);
    }

    /// <summary>Numbers x of shape (2, 3), and where they are not 0 as y.</summary>
    public static void SaveNonZero(string path)
    {
        var model = new OnnxBuilder().Input("x", "2", "3").Node("NonZero", ["x"], ["y"]).Output("y");
        model.Model.Graph.Output[0].Type.TensorType.ElemType = 7;
        Save(model, path);
    }

    private static void Save(OnnxBuilder model, string path) => File.WriteAllBytes(path, model.Model.ToByteArray());
}
