using SeparableConv.Networks.Formats.Onnx.Schema;
using SeparableConv.Tests.Networks.Operators;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Operators of ONNX that are put together from others, against their formulas.</summary>
public class OnnxComposedTests
{
    private static readonly float[] Odd = [1, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -2];

    private static readonly Dictionary<string, (AttributeProto[] Attributes, Func<double, double> Function)> Activations = new()
    {
        ["Gelu"] = ([], x => x * (1 + ErrorFunction.Erf(x * Math.Sqrt(0.5))) / 2),
        ["Gelu tanh"] = (
            [Text("approximate", "tanh")], x => x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))) / 2),
        ["Mish"] = ([], x => x * Math.Tanh(Math.Log(1 + Math.Exp(x)))),
        ["Swish"] = ([], x => x / (1 + Math.Exp(-x))),
        ["Swish flat"] = ([Float("alpha", 0.5f)], x => x / (1 + Math.Exp(-x / 2))),
        ["Selu"] = ([], x => 1.05070102214813232421875 * (x < 0 ? 1.67326319217681884765625 * (Math.Exp(x) - 1) : x)),
        ["Celu"] = ([], x => x < 0 ? Math.Exp(x) - 1 : x),
        ["Celu wide"] = ([Float("alpha", 2)], x => x < 0 ? 2 * (Math.Exp(x / 2) - 1) : x),
        ["ThresholdedRelu"] = ([Float("alpha", 0.75f)], x => x > 0.75 ? x : 0),
        ["Shrink"] = ([], x => Math.Abs(x) > 0.5 ? x : 0),
        ["Shrink softly"] = (
            [Float("lambd", 1.5f), Float("bias", 0.25f)], x => x < -1.5 ? x + 0.25 : x > 1.5 ? x - 0.25 : 0),
    };

    public static TheoryData<string> Names => [.. Activations.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Activations_are_their_formulas(string name)
    {
        var (attributes, function) = Activations[name];
        foreach (var shape in new[] { Array.Empty<int>(), [7], [2, 3, 50], [1, 5, 4, 9] })
        {
            var x = TensorData.Create(Array.ConvertAll((float[])OperatorRun.Floats(1, shape).Values, v => 4 * v), shape);
            var expected = Array.ConvertAll(x.Span<float>().ToArray(), v => function(v));
            new OneNodeModel(name.Split(' ')[0], 24, attributes).Check(shape, expected, 1e-6, x);
        }
    }

    [Fact]
    public void Shrink_takes_whole_numbers()
    {
        int[] x = [-3, -2, -1, 0, 1, 2, 3];
        var model = new OneNodeModel("Shrink", 9, Float("lambd", 1.5f), Float("bias", 1));
        Assert.Equal([-2, -1, 0, 0, 0, 1, 2], (int[])model.Run(TensorData.Create(x, 7))[0].Values);
    }

    [Fact]
    public void Infinities_and_NaNs_are_found()
    {
        var x = TensorData.Create(Odd, Odd.Length);
        bool[] Run(string type, params AttributeProto[] attributes) => (bool[])new OneNodeModel(type, 13, attributes).Run(x)[0].Values;
        Assert.Equal(Array.ConvertAll(Odd, float.IsNaN), Run("IsNaN"));
        Assert.Equal(Array.ConvertAll(Odd, float.IsInfinity), Run("IsInf"));
        Assert.Equal(Array.ConvertAll(Odd, float.IsPositiveInfinity), Run("IsInf", Int("detect_negative", 0)));
        Assert.Equal(Array.ConvertAll(Odd, float.IsNegativeInfinity), Run("IsInf", Int("detect_positive", 0)));
        Assert.DoesNotContain(true, Run("IsInf", Int("detect_positive", 0), Int("detect_negative", 0)));
    }

    [Theory]
    [InlineData("ReduceL1")]
    [InlineData("ReduceL2")]
    [InlineData("ReduceSumSquare")]
    [InlineData("ReduceLogSum")]
    [InlineData("ReduceLogSumExp")]
    public void Reductions_are_their_formulas(string type)
    {
        int[] shape = [2, 3, 4, 5];
        var x = TensorData.Create(Array.ConvertAll((float[])OperatorRun.Floats(1, shape).Values, v => v + 1.5f), shape);
        double[] Expected(params int[] axes)
        {
            var groups = new SortedDictionary<int, List<double>>();
            for (var i = 0; i < x.Values.Length; i++)
            {
                var kept = MovedElements.Index(i, shape).Select((at, d) => axes.Contains(d) ? 0 : at).Zip(shape)
                    .Aggregate(0, (sum, pair) => (sum * pair.Second) + pair.First);
                groups.TryAdd(kept, []);
                groups[kept].Add(x.Span<float>()[i]);
            }

            return [.. groups.Values.Select(group => type switch
            {
                "ReduceL1" => group.Sum(Math.Abs),
                "ReduceL2" => Math.Sqrt(group.Sum(v => v * v)),
                "ReduceSumSquare" => group.Sum(v => v * v),
                "ReduceLogSum" => Math.Log(group.Sum()),
                _ => Math.Log(group.Sum(Math.Exp)),
            })];
        }

        new OneNodeModel(type, 11, Ints("axes", 1, -1), Int("keepdims", 0)).Check([2, 4], Expected(1, 3), 1e-6, x);
        new OneNodeModel(type, 13, Ints("axes", 2)).Check([2, 3, 1, 5], Expected(2), 1e-6, x);
        new OneNodeModel(type, 18) { FirstConstant = 1 }.Check([2, 3, 1, 1], Expected(2, 3), 1e-6, x, TensorData.Create([2L, 3], 2));
        new OneNodeModel(type, 18).Check([1, 1, 1, 1], Expected(0, 1, 2, 3), 1e-6, x);
        new OneNodeModel(type, 18, Int("noop_with_empty_axes", 1)).Check(shape, Expected(), 1e-6, x);
    }

    [Fact]
    public void LogSumExp_neither_overflows_nor_loses_infinities()
    {
        const float Infinity = float.PositiveInfinity;
        float[] x = [1000, 1001, -1000, -1003, -Infinity, -Infinity, 5, -Infinity, Infinity, 0];
        double[] expected = [1001 + Math.Log(1 + Math.Exp(-1)), -1000 + Math.Log(1 + Math.Exp(-3)), -Infinity, 5, Infinity];
        new OneNodeModel("ReduceLogSumExp", 13, Ints("axes", 1)).Check([5, 1], expected, 1e-6, TensorData.Create(x, 5, 2));
    }

    [Fact]
    public void Truths_and_whole_numbers_are_reduced_too()
    {
        var truths = TensorData.Create([true, false, false, false, true, true], 3, 2);
        var axis = TensorData.Create([1L], 1);
        Assert.Equal([true, false, true], (bool[])new OneNodeModel("ReduceMax", 20) { FirstConstant = 1 }.Run(truths, axis)[0].Values);
        Assert.Equal([false, false, true], (bool[])new OneNodeModel("ReduceMin", 20) { FirstConstant = 1 }.Run(truths, axis)[0].Values);
        var whole = TensorData.Create([3, 4, 1, 1], 2, 2);
        Assert.Equal([5, 1], (int[])new OneNodeModel("ReduceL2", 13, Ints("axes", 1)).Run(whole)[0].Values);
    }

    [Fact]
    public void Hardmax_is_1_at_the_first_of_the_largest()
    {
        var x = TensorData.Create([1f, 3, 3, 0, 2, 1, 5, 5, 4, 4, 4, 4], 2, 2, 3);
        new OneNodeModel("Hardmax", 13).Check([2, 2, 3], [0, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0], 0, x);
        new OneNodeModel("Hardmax", 13, Int("axis", 1)).Check([2, 2, 3], [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0], 0, x);

        // Up to opset 12 all dimensions from the axis on are one.
        new OneNodeModel("Hardmax", 11, Int("axis", 1)).Check([2, 2, 3], [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], 0, x);
    }

    [Fact]
    public void OneHot_counts_from_the_back_below_0_and_leaves_out_what_is_beyond()
    {
        var (values, depth) = (TensorData.Create([2f, 5f], 2), TensorData.Create([3L]));
        var indices = TensorData.Create([0L, -1, 4, -4], 2, 2);
        new OneNodeModel("OneHot", 11) { FirstConstant = 1 }
            .Check([2, 2, 3], [5, 2, 2, 2, 2, 5, 2, 2, 2, 2, 2, 2], 0, indices, depth, values);
        new OneNodeModel("OneHot", 11, Int("axis", 0)) { FirstConstant = 1 }
            .Check([3, 2, 2], [5, 2, 2, 2, 2, 2, 2, 2, 2, 5, 2, 2], 0, indices, depth, values);
    }

    [Fact]
    public void Triangles_diagonals_and_selections()
    {
        var x = TensorData.Create([1f, 2, 3, 4, 5, 6], 2, 3);
        new OneNodeModel("Trilu", 14).Check([2, 3], [1, 2, 3, 0, 5, 6], 0, x);
        var below = TensorData.Create([-1L]);
        new OneNodeModel("Trilu", 14, Int("upper", 0)) { FirstConstant = 1 }.Check([2, 3], [0, 0, 0, 4, 0, 0], 0, x, below);
        new OneNodeModel("EyeLike", 9, Int("k", 1), Int("dtype", 7)).Check([2, 3], [0, 1, 0, 0, 0, 1], 0, x);
        var some = TensorData.Create([false, true], 2);
        new OneNodeModel("Compress", 11, Int("axis", 1)) { FirstConstant = 1 }.Check([2, 1], [2, 5], 0, x, some);
        new OneNodeModel("Compress", 11) { FirstConstant = 1 }.Check([1], [2], 0, x, some);
        new OneNodeModel("CastLike", 15).Check([2, 3], [1, 2, 3, 4, 5, 6], 0, x, TensorData.Create([(byte)1], 1));
    }
}
