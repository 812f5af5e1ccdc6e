using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;
using SeparableConv.Tests.Networks.Formats;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>
/// Hand-made TensorFlow Lite models with more than operators in a row: graphs, variables, custom options, sparse weights.
/// </summary>
internal static class FuzzTFLiteFiles
{
    /// <summary>A variable with an initialization, and a branch.</summary>
    public static FuzzSeed Stream()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
        for (var i = 0; i < 4; i++)
            file.Tensor(ElementType.Float32, [1, 2]);
        var init = file.Branch();
        init.Operator(BuiltinOperator.ASSIGN_VARIABLE, [init.Variable("a"), init.Constant([1f, 2], [1, 2])], []);
        foreach (var (code, options) in new[] { (BuiltinOperator.ADD, 11), (BuiltinOperator.MUL, 21) })
        {
            var branch = file.Branch();
            (branch.Inputs, branch.Outputs) = ([0, 1], [2]);
            for (var i = 0; i < 3; i++)
                branch.Tensor(ElementType.Float32, [1, 2]);
            branch.Operator(code, [0, 1], [2], options, []);
        }

        file.Operator(BuiltinOperator.CALL_ONCE, [], [], 103, new() { [0] = 1 });
        var variable = file.Variable("a");
        file.Operator(BuiltinOperator.READ_VARIABLE, [variable], [1]);
        file.Operator(BuiltinOperator.ADD, [0, 1], [2], 11, []);
        file.Operator(BuiltinOperator.ASSIGN_VARIABLE, [variable, 2], []);
        var (some, condition) = (file.Tensor(ElementType.Bool, [1, 2]), file.Tensor(ElementType.Bool, []));
        file.Operator(BuiltinOperator.GREATER, [0, 1], [some]);
        file.Operator(BuiltinOperator.REDUCE_ANY, [some, file.Constant([0, 1], [2])], [condition], 27, []);
        file.Operator(BuiltinOperator.IF, [condition, 1, 2], [3], 92, new() { [0] = 2, [1] = 3 });
        return Seed("stream", file);
    }

    public static FuzzSeed Detector()
    {
        var file = new TFLiteFile { Inputs = [0, 1], Outputs = [3, 4, 5, 6] };
        file.Tensor(ElementType.Float32, [1, 6, 4]);
        file.Tensor(ElementType.Float32, [1, 6, 3]);
        file.Constant(RandomData.Floats(24, 1), [6, 4]);
        foreach (var shape in new int[][] { [1, 6, 4], [1, 6], [1, 6], [1] })
            file.Tensor(ElementType.Float32, shape);
        var options = FlexOptions.Map(
            ("max_detections", 3),
            ("max_classes_per_detection", 2),
            ("use_regular_nms", true),
            ("nms_score_threshold", 0f),
            ("nms_iou_threshold", 0.5f),
            ("num_classes", 2),
            ("y_scale", 10f),
            ("x_scale", 10f),
            ("h_scale", 5f),
            ("w_scale", 5f));
        file.Custom("TFLite_Detection_PostProcess", options, [0, 1, 2], [3, 4, 5, 6]);
        return Seed("detector", file);
    }

    public static FuzzSeed Segmenter()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [3, 6] };
        file.Tensor(ElementType.Float32, [1, 4, 6, 2]);
        file.Tensor(ElementType.Float32, [1, 2, 3, 2]);
        file.Tensor(ElementType.Float32, [1, 2, 3, 2]);
        file.Tensor(ElementType.Float32, [1, 4, 6, 2]);
        file.Constant(RandomData.Floats(24, 1), [3, 2, 2, 2]);
        file.Constant(RandomData.Floats(3, 1), [3]);
        file.Tensor(ElementType.Float32, [1, 4, 6, 3]);
        var pool = MemoryMarshal.AsBytes<int>([1, 2, 2, 2, 2, 0]).ToArray();
        file.Custom("MaxPoolingWithArgmax2D", pool, [0], [1, 2]);
        file.Custom("MaxUnpooling2D", pool, [1, 2], [3]);
        file.Custom("Convolution2DTransposeBias", pool[..12], [1, 4, 5], [6]);
        return Seed("segmenter", file);
    }

    public static FuzzSeed Sparse()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [2, 4]);
        file.Constant([1f, 2, 3], [3]);
        file.Tensor(ElementType.Float32, [2, 4]);
        FlatRecord Vector(params int[] numbers) => new() { [0] = numbers };
        (file.Tensors[1][0], file.Tensors[1][6]) = (new[] { 2, 4 }, new FlatRecord
        {
            [0] = new[] { 0, 1 },
            [2] = new FlatRecord[]
            {
                new() { [1] = 2 },
                new() { [0] = (byte)1, [2] = (byte)1, [3] = Vector(0, 1, 3), [4] = (byte)1, [5] = Vector(3, 0, 2) },
            },
        });
        file.Operator(BuiltinOperator.ADD, [0, 1], [2], 11, []);
        return Seed("sparse", file);
    }

    public static FuzzSeed Wide()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [4] };
        file.Tensor(ElementType.Int16, [1, 4, 4, 2], (0.01f, 0));
        file.Constant(Enumerable.Range(0, 36).Select(i => (sbyte)(i * 7)).ToArray(), [2, 3, 3, 2], (0.01f, 0));
        file.Constant([1L, -2], [2], (1e-4f, 0));
        file.Tensor(ElementType.Int16, [1, 4, 4, 2], (0.01f, 0));
        file.Tensor(ElementType.Int16, [1, 4, 4, 2], (0.02f, 0));
        file.Operator(BuiltinOperator.CONV_2D, [0, 1, 2], [3], 1, new() { [0] = (byte)0, [1] = 1, [2] = 1 });
        file.Operator(BuiltinOperator.ADD, [0, 3], [4], 11, []);
        return Seed("wide", file);
    }

    private static FuzzSeed Seed(string name, TFLiteFile file)
    {
        var record = file.ToRecord();
        return new($"made/{name}", record.ToFile(), record);
    }
}
