using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>The operators that only move elements, read from hand-made files.</summary>
public class TFLiteShapeTests
{
    [Fact]
    public void Lengths_are_the_files_the_callers_or_asked_for()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [1, 2, 3]);
        file.Constant([1, 6], [2]);
        file.Tensor(ElementType.Float32, [1, 6]);
        file.Operator(BuiltinOperator.RESHAPE, [0, 1], [2]);
        TFLiteReadOptions Given(params int[] shape) => new()
        {
            Shapes = new Dictionary<string, IReadOnlyList<int>> { ["t0"] = shape },
            ShapeOf = _ => throw new InvalidOperationException(),
        };
        Assert.Equal(new TensorShape(1, 6), file.Read(new()).Outputs[0].Shape);

        // The shape in the file has a batch of 1 in it.
        Assert.Equal(new TensorShape(4, 6), file.Read(Given(4, 2, 3)).Outputs[0].Shape);
        Assert.Throws<NetworkException>(() => file.Read(Given(4, 2, 5)));
        Assert.Contains("3 dimensions", Assert.Throws<NetworkException>(() => file.Read(Given(4, 2))).Message, StringComparison.Ordinal);

        file.Tensors[0][7] = new[] { 1, -1, -1 };
        TensorShape? Answer(OpenInput input)
        {
            Assert.Equal([1, null, null], input.Lengths);
            return new TensorShape(1, 6, 1);
        }

        Assert.Equal(new TensorShape(1, 6, 1), file.Read(new() { ShapeOf = Answer }).Inputs[0].Shape);
    }

    [Fact]
    public void Outputs_have_the_files_names_whatever_else_has_them()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1, 2] };
        file.Tensor(ElementType.Float32, [2]);
        file.Tensor(ElementType.Float32, [2]);
        file.Tensor(ElementType.Float32, [2]);
        file.Tensors[1][3] = "Identity";
        file.Tensors[2][3] = "Identity_1";
        file.Operator(BuiltinOperator.RELU, [0], [1]);
        file.Operator(BuiltinOperator.RELU6, [1], [2]);
        Assert.Equal(["Identity", "Identity_1"], file.Read().Outputs.Select(output => output.Name));
        file.Tensors[0][3] = "Identity_1";
        Assert.Equal(["Identity", "Identity_1"], file.Read().Outputs.Select(output => output.Name));
    }

    // Masks: begin, end, ellipsis, new axis, shrink. The input is 0 .. 23 in the shape (2,3,4).
    [Theory]
    [InlineData(
        new[] { 0, 1 }, new[] { 2, 3 }, new[] { 1, 1 }, new[] { 0, 0, 0, 0, 0 }, new[] { 2, 2, 4 },
        new[] { 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23 })]
    [InlineData(
        new[] { 1, -1, 0 }, new[] { 2, -4, 4 }, new[] { 1, -1, 2 }, new[] { 0, 0, 0, 0, 0 }, new[] { 1, 3, 2 },
        new[] { 20, 22, 16, 18, 12, 14 })]
    [InlineData(
        new[] { 0, 9, 1 }, new[] { 0, 0, 3 }, new[] { 1, -2, 1 }, new[] { 1, 3, 0, 0, 0 }, new[] { 2, 2, 2 },
        new[] { 9, 10, 1, 2, 21, 22, 13, 14 })]
    [InlineData(new[] { 0, 2 }, new[] { 0, 3 }, new[] { 1, 1 }, new[] { 0, 0, 1, 0, 2 }, new[] { 2, 3 }, new[] { 2, 6, 10, 14, 18, 22 })]
    [InlineData(
        new[] { -1, 0, 0 }, new[] { 0, 0, 2 }, new[] { 1, 1, 1 }, new[] { 0, 0, 0, 2, 1 }, new[] { 1, 2, 4 },
        new[] { 12, 13, 14, 15, 16, 17, 18, 19 })]
    [InlineData(new[] { 0, 0, 3 }, new[] { 2, 3, 1 }, new[] { 1, 1, 1 }, new[] { 0, 0, 0, 0, 0 }, new[] { 2, 3, 0 }, new int[0])]
    public void Strided_slice(int[] begins, int[] ends, int[] strides, int[] masks, int[] shape, int[] expected)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [4] };
        file.Tensor(ElementType.Int32, [2, 3, 4]);
        file.Constant(begins, [begins.Length]);
        file.Constant(ends, [ends.Length]);
        file.Constant(strides, [strides.Length]);
        file.Tensor(ElementType.Int32, shape);
        var options = new FlatRecord();
        for (var i = 0; i < masks.Length; i++)
            options[i] = masks[i];
        file.Operator(BuiltinOperator.STRIDED_SLICE, [0, 1, 2, 3], [4], 32, options);
        Assert.Equal(new TensorShape(shape), file.Read().Outputs[0].Type.Shape);
        Assert.Equal(expected, Run(file, 24));
    }

    [Fact]
    public void Shape_arithmetic_is_folded()
    {
        // reshape(x, pack(shape(x)[0], -1)), as exporters flatten a batch.
        var file = new TFLiteFile { Inputs = [0], Outputs = [8] };
        file.Tensor(ElementType.Int32, [2, 3, 4]);
        file.Tensor(ElementType.Int32, [3]);
        file.Constant([0], [1]);
        file.Constant([1], [1]);
        file.Constant([1], [1]);
        file.Tensor(ElementType.Int32, []);
        file.Constant([-1], []);
        file.Tensor(ElementType.Int32, [2]);
        file.Tensor(ElementType.Int32, [2, 12]);
        file.Operator(BuiltinOperator.SHAPE, [0], [1], 55, new() { [0] = (byte)2 });
        file.Operator(BuiltinOperator.STRIDED_SLICE, [1, 2, 3, 4], [5], 32, new() { [4] = 1 });
        file.Operator(BuiltinOperator.PACK, [5, 6], [7], 59, new() { [0] = 2 });
        file.Operator(BuiltinOperator.RESHAPE, [0, 7], [8]);
        var network = file.Read();
        Assert.Single(network.Nodes);
        Assert.Equal("(2,12)", network.Outputs[0].Type.Shape.ToString());

        var larger = file.Read(new() { Shapes = new Dictionary<string, IReadOnlyList<int>> { ["t0"] = [5, 3, 4] } });
        Assert.Equal("(5,12)", larger.Outputs[0].Type.Shape.ToString());
        Assert.Contains("'none', which is no input; inputs are 't0'", Assert.Throws<NetworkException>(() =>
            file.Read(new() { Shapes = new Dictionary<string, IReadOnlyList<int>> { ["none"] = [1] } })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_open_length_is_1()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Int32, [-1, 3]);
        file.Tensor(ElementType.Int32, [3]);
        file.Operator(BuiltinOperator.SQUEEZE, [0], [1]);
        Assert.Equal("(1,3)", file.Read().Inputs[0].Type.Shape.ToString());
        Assert.Equal("(3)", file.Read().Outputs[0].Type.Shape.ToString());
    }

    [Fact]
    public void Quantized_numbers_are_padded_with_what_stands_for_0()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Int8, [2, 2], (0.1f, -7));
        file.Constant([0, 1, 1, 0], [2, 2]);
        file.Tensor(ElementType.Int8, [3, 3], (0.1f, -7));
        file.Operator(BuiltinOperator.PAD, [0, 1], [2], 22, []);
        Assert.Equal([-7, 1, 2, -7, 3, 4, -7, -7, -7], Array.ConvertAll(file.Run([1, 2, 3, 4]), b => (int)(sbyte)b));
    }

    [Fact]
    public void PadV2_takes_its_value_from_the_file()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
        file.Tensor(ElementType.Int32, [2]);
        file.Constant([2, 1], [1, 2]);
        file.Constant([9], []);
        file.Tensor(ElementType.Int32, [5]);
        file.Operator(BuiltinOperator.PADV2, [0, 1, 2], [3]);
        Assert.Equal([9, 9, 0, 1, 9], Run(file, 2));
    }

    [Theory]
    [InlineData(0, new[] { 2, 1, 0, 1, 2, 3, 2 })]
    [InlineData(1, new[] { 1, 0, 0, 1, 2, 3, 3 })]
    public void Mirror_pad_with_and_without_the_border(int mode, int[] expected)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Int32, [4]);
        file.Constant([2L, 1L], [1, 2]);
        file.Tensor(ElementType.Int32, [7]);
        file.Operator(BuiltinOperator.MIRROR_PAD, [0, 1], [2], 77, new() { [0] = (byte)mode });
        Assert.Equal(expected, Run(file, 4));
    }

    [Theory]
    [InlineData(false, false, 7, new[] { 0, 0, 0, 1, 1, 2, 2 })]
    [InlineData(false, true, 7, new[] { 0, 0, 1, 1, 1, 2, 2 })]
    [InlineData(true, false, 7, new[] { 0, 0, 1, 1, 1, 2, 2 })]
    [InlineData(false, false, 2, new[] { 0, 1 })]
    [InlineData(false, true, 2, new[] { 0, 2 })]
    public void Nearest_neighbours(bool align, bool half, int length, int[] expected)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.UInt8, [1, 3, 3, 2], (1f, 0));
        file.Constant([length, length], [2]);
        file.Tensor(ElementType.UInt8, [1, length, length, 2], (1f, 0));
        file.Operator(
            BuiltinOperator.RESIZE_NEAREST_NEIGHBOR, [0, 1], [2], 74,
            new() { [0] = (byte)(align ? 1 : 0), [1] = (byte)(half ? 1 : 0) });
        var y = file.Run([.. Enumerable.Range(0, 18).Select(i => (byte)i)]);
        Assert.Equal(
            expected.SelectMany(r => expected.SelectMany(c => new[] { (byte)((6 * r) + (2 * c)), (byte)((6 * r) + (2 * c) + 1) })), y);
    }

    [Fact]
    public void Split_unpack_and_pack_go_there_and_back()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [8] };
        file.Tensor(ElementType.Int32, [4, 3]);
        file.Constant([-2], []);
        file.Tensor(ElementType.Int32, [2, 3]);
        file.Tensor(ElementType.Int32, [2, 3]);
        for (var i = 0; i < 4; i++)
            file.Tensor(ElementType.Int32, [3]);
        file.Tensor(ElementType.Int32, [3, 4]);
        file.Operator(BuiltinOperator.SPLIT, [1, 0], [2, 3], 35, new() { [0] = 2 });
        file.Operator(BuiltinOperator.UNPACK, [2], [4, 5], 64, new() { [0] = 2, [1] = 0 });
        file.Operator(BuiltinOperator.UNPACK, [3], [6, 7], 64, new() { [0] = 2, [1] = 0 });
        file.Operator(BuiltinOperator.PACK, [4, 5, 6, 7], [8], 59, new() { [0] = 4, [1] = 1 });
        Assert.Equal([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11], Run(file, 12));
    }

    [Fact]
    public void Half_precision_and_per_channel_constants_become_float()
    {
        // A constant is no output of its own: it comes out through a reshape of the sum with nothing but itself.
        var file = new TFLiteFile { Inputs = [0], Outputs = [3] };
        file.Tensor(ElementType.Float32, [1]);
        file.Constant(new sbyte[] { 1, 2, 3, 4, 5, 6 }, [2, 3], 1, [(0.5f, 0), (0.25f, 1), (2f, -1)]);
        file.Tensor(ElementType.Float32, [2, 3]);
        file.Tensor(ElementType.Float32, [6]);
        file.Constant([-1], [1]);
        file.Operator(BuiltinOperator.DEQUANTIZE, [1], [2]);
        file.Operator(BuiltinOperator.RESHAPE, [2, 4], [3]);
        var network = file.Read();
        Assert.Empty(network.Nodes);
        Assert.Equal([0.5f, 0.25f, 8, 2, 1, 14], network.Outputs[0].Constant!.Span<float>().ToArray());
    }

    // The elements of the first output, the input being 0, 1, 2 ...
    private static int[] Run(TFLiteFile file, int count) =>
        MemoryMarshal.Cast<byte, int>(file.Run(MemoryMarshal.AsBytes<int>(Enumerable.Range(0, count).ToArray()).ToArray())).ToArray();
}
