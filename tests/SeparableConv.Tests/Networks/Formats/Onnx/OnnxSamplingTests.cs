using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Tests.Networks.Operators;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Operators that sample, and those of the first opsets, as they are read and written.</summary>
public class OnnxSamplingTests
{
    private static readonly TensorData X = OperatorRun.Floats(1, 1, 2, 4, 5);

    [Theory]
    [InlineData(16, "bilinear")]
    [InlineData(16, "nearest")]
    [InlineData(20, "linear")]
    [InlineData(20, "cubic")]
    public void A_grid_of_the_pixels_themselves_gives_the_image(int opset, string mode)
    {
        var grid = new float[4 * 5 * 2];
        for (var i = 0; i < 20; i++)
            (grid[2 * i], grid[(2 * i) + 1]) = ((i % 5 / 2f) - 1, (i / 5 / 1.5f) - 1);
        new OneNodeModel("GridSample", opset, Text("mode", mode), Int("align_corners", 1))
            .Check([1, 2, 4, 5], OperatorRun.Doubles(X), 1e-5, X, TensorData.Create(grid, 1, 4, 5, 2));
    }

    [Theory]
    [InlineData(10, null, 0f)]
    [InlineData(16, "output_half_pixel", 0f)]
    [InlineData(16, null, 0.5f)]
    public void A_region_of_one_pixel_is_that_pixel(int opset, string? mode, float offset)
    {
        // One sample in the middle of a region from half a pixel before to half a pixel behind.
        AttributeProto[] attributes = [Int("sampling_ratio", 1)];
        if (mode is not null)
            attributes = [.. attributes, Text("coordinate_transformation_mode", mode)];
        var region = TensorData.Create([1.5f + offset, 0.5f + offset, 2.5f + offset, 1.5f + offset], 1, 4);
        double[] expected = [X.Span<float>()[5 + 2], X.Span<float>()[20 + 5 + 2]];
        new OneNodeModel("RoiAlign", opset, attributes).Check([1, 2, 1, 1], expected, 1e-6, X, region, TensorData.Create([0L], 1));
    }

    [Fact]
    public void A_pooling_with_positions_is_undone()
    {
        var model = new OnnxBuilder(11).Input("x", "1", "2", "4", "6").Output("y")
            .Node("MaxPool", ["x"], ["p", "i"], Ints("kernel_shape", 2, 2), Ints("strides", 2, 2))
            .Node("MaxUnpool", ["p", "i"], ["y"], Ints("kernel_shape", 2, 2), Ints("strides", 2, 2));
        var x = OperatorRun.Floats(3, 1, 2, 4, 6);
        var network = model.Read();
        foreach (var one in new[] { network, OnnxBackend.RoundTrip(network) })
        {
            using var session = new InferenceSession(one);
            x.Bytes.CopyTo(session.InputBytes(0));
            session.Run();
            var (y, values) = (TensorData.CreateZeros(x.Type), (float[])x.Values);
            session.OutputBytes(0).CopyTo(y.Bytes);
            var found = (float[])y.Values;
            Assert.Equal(12, found.Count(v => v != 0));
            Assert.All(Enumerable.Range(0, found.Length), i => Assert.True(found[i] == 0 || found[i] == values[i]));
        }
    }

    [Fact]
    public void Operators_of_the_first_opsets_are_their_formulas()
    {
        double[] Each(Func<double, int, double> function) => [.. X.Span<float>().ToArray().Select((v, i) => function(v, i))];
        int[] shape = [1, 2, 4, 5];
        new OneNodeModel("ImageScaler", 9, Float("scale", 0.5f), Floats("bias", 1, -2))
            .Check(shape, Each((v, i) => (v / 2) + (i < 20 ? 1 : -2)), 1e-6, X);
        new OneNodeModel("Affine", 9, Float("alpha", 2), Float("beta", 3)).Check(shape, Each((v, _) => (2 * v) + 3), 1e-6, X);
        new OneNodeModel("Scale", 9, Float("scale", 2)).Check(shape, Each((v, _) => 2 * v), 1e-6, X);
        new OneNodeModel("ScaledTanh", 9, Float("alpha", 2), Float("beta", 3)).Check(shape, Each((v, _) => 2 * Math.Tanh(3 * v)), 1e-6, X);
        new OneNodeModel("ParametricSoftplus", 9, Float("alpha", 2), Float("beta", 3))
            .Check(shape, Each((v, _) => 2 * Math.Log(1 + Math.Exp(3 * v))), 1e-6, X);

        // Left, top, right and bottom.
        double[] Part(int top, int left, int height, int width) =>
        [
            .. from c in Enumerable.Range(0, 2) from i in Enumerable.Range(0, height) from j in Enumerable.Range(0, width)
               select (double)X.Span<float>()[(((c * 4) + top + i) * 5) + left + j],
        ];
        new OneNodeModel("Crop", 9, Ints("border", 1, 2, 2, 1)).Check([1, 2, 1, 2], Part(2, 1, 1, 2), 0, X);
        new OneNodeModel("Crop", 9, Ints("border", 1, 2, 2, 1), Ints("scale", 2, 3)).Check([1, 2, 2, 3], Part(2, 1, 2, 3), 0, X);
        Assert.Contains("do not lie inside", new OneNodeModel("Crop", 9, Ints("border", 1, 2, 4, 1)).Refusal(X));
    }

    [Theory]
    [InlineData("SAME_UPPER")]
    [InlineData("SAME_LOWER")]
    [InlineData("VALID")]
    public void Pads_of_zero_beside_a_rule_change_nothing(string rule)
    {
        AttributeProto[] attributes = [Ints("kernel_shape", 3, 2), Ints("strides", 2, 2), Text("auto_pad", rule)];
        foreach (var type in new[] { "MaxPool", "AveragePool", "LpPool" })
        {
            var expected = new OneNodeModel(type, 11, attributes).Run(X)[0];
            var same = new OneNodeModel(type, 11, [.. attributes, Ints("pads", 0, 0, 0, 0)]).Run(X)[0];
            Assert.Equal(expected.Values, same.Values);
            Assert.Contains("expected one of both", new OneNodeModel(type, 11, [.. attributes, Ints("pads", 0, 1, 0, 0)]).Refusal(X));
        }
    }

    private static AttributeProto Floats(string name, params float[] values) =>
        new() { Name = name, Floats = { values }, Type = AttributeProto.Types.AttributeType.Floats };
}
