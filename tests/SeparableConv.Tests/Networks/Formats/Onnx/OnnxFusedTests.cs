using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>What ONNX Runtime joins in its own domain, beside the same in ONNX's own operators, or beside plain loops.</summary>
public sealed class OnnxFusedTests
{
    private const string Domain = "com.microsoft.";

    [Theory]
    [InlineData("Relu")]
    [InlineData("Tanh")]
    [InlineData("Sigmoid")]
    [InlineData("HardSwish")]
    [InlineData("LeakyRelu", 0.2f)]
    [InlineData("Clip", -0.3f, 0.4f)]
    [InlineData("HardSigmoid", 0.3f, 0.4f)]
    [InlineData("")]
    public void FusedConv_adds_then_activates(string activation, params float[] parameters)
    {
        foreach (var hasSum in new[] { false, true })
        {
            OnnxBuilder Start() => new OnnxBuilder().Input("x", "1", "4", "7", "6").Input("z", "1", "6", "4", "3")
                .Constant("w", RandomData.Floats(6 * 2 * 9, 1), 6, 2, 3, 3).Constant("b", RandomData.Floats(6, 2), 6);
            AttributeProto[] window =
                [OnnxBuilder.Int("group", 2), OnnxBuilder.Ints("strides", 2, 2), OnnxBuilder.Ints("pads", 1, 1, 1, 1)];
            AttributeProto[] function = activation.Length == 0 ? [] : [OnnxBuilder.Text("activation", activation)];
            if (parameters.Length > 0)
                function = [.. function, OnnxBuilder.Floats("activation_params", parameters)];
            string[] inputs = hasSum ? ["x", "w", "b", "z"] : ["x", "w", "b"];
            var fused = Start().Node(Domain + "FusedConv", inputs, ["y"], [.. window, .. function]);
            var plain = Start().Node("Conv", ["x", "w", "b"], ["c"], window).Node("Identity", ["c"], ["s"]);
            if (hasSum)
                plain.Model.Graph.Node[1] = new OnnxBuilder().Node("Add", ["c", "z"], ["s"]).Model.Graph.Node[0];
            Activated(plain, activation, parameters);
            if (!hasSum)
            {
                fused.Model.Graph.Input.RemoveAt(1);
                plain.Model.Graph.Input.RemoveAt(1);
            }

            Assert.Equal(Run(plain), Run(fused));
        }
    }

    [Theory]
    [InlineData("Relu")]
    [InlineData("Tanh")]
    [InlineData("Elu", 0.3f)]
    [InlineData("LeakyRelu", 0.3f)]
    [InlineData("HardSigmoid", 0.3f, 0.4f)]
    public void FusedGemm_activates(string activation, params float[] parameters)
    {
        OnnxBuilder Start() => new OnnxBuilder().Input("x", "5", "7").Constant("w", RandomData.Floats(6 * 7, 1), 6, 7)
            .Constant("b", RandomData.Floats(6, 2), 6);
        AttributeProto[] attributes = [OnnxBuilder.Int("transB", 1), OnnxBuilder.Float("alpha", 0.5f), OnnxBuilder.Float("beta", 2)];
        string[] names = ["activation_alpha", "activation_beta"];
        AttributeProto[] function =
            [OnnxBuilder.Text("activation", activation), .. parameters.Select((value, i) => OnnxBuilder.Float(names[i], value))];
        var fused = Start().Node(Domain + "FusedGemm", ["x", "w", "b"], ["y"], [.. attributes, .. function]);
        var plain = Start().Node("Gemm", ["x", "w", "b"], ["s"], attributes);
        Activated(plain, activation, parameters);
        Assert.Equal(Run(plain), Run(fused));
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(1, 0, 0.3f)]
    [InlineData(0, 1, 1)]
    [InlineData(1, 1, -2)]
    public void FusedMatMul_exchanges_rows_and_columns(int first, int second, float alpha)
    {
        var a = RandomData.Floats(2 * 3 * 5, 1);
        var b = RandomData.Floats(5 * 4, 2);
        var builder = new OnnxBuilder().Input("x", first == 0 ? ["2", "3", "5"] : ["2", "5", "3"])
            .Constant("w", b, second == 0 ? [5, 4] : [4, 5])
            .Node(
                Domain + "FusedMatMul",
                ["x", "w"],
                ["y"],
                OnnxBuilder.Int("transA", first),
                OnnxBuilder.Int("transB", second),
                OnnxBuilder.Float("alpha", alpha));
        var expected = new double[2 * 3 * 4];
        for (var i = 0; i < expected.Length; i++)
        {
            var (n, m, batch) = (i % 4, i / 4 % 3, i / 12);
            for (var k = 0; k < 5; k++)
            {
                expected[i] += (double)alpha * a[(batch * 15) + (first == 0 ? (m * 5) + k : (k * 3) + m)]
                    * b[second == 0 ? (k * 4) + n : (n * 5) + k];
            }
        }

        Near(expected, Run(builder, a), 4e-6);
    }

    [Theory]
    [InlineData("Gelu", false)]
    [InlineData("BiasGelu", true)]
    [InlineData("FastGelu", false)]
    [InlineData("FastGelu", true)]
    [InlineData("QuickGelu", false)]
    public void Forms_of_GELU_are_their_formulas(string type, bool hasBias)
    {
        var x = Array.ConvertAll(RandomData.Floats(3 * 33, 1), number => 6 * number);
        var bias = RandomData.Floats(33, 2);
        var builder = new OnnxBuilder().Input("x", "3", "33").Constant("b", bias, 33)
            .Node(Domain + type, hasBias ? ["x", "b"] : ["x"], ["y"]);
        Near(
            x.Select((number, i) =>
            {
                double v = hasBias ? number + bias[i % 33] : number;
                return type switch
                {
                    "QuickGelu" => v / (1 + Math.Exp(-1.702 * v)),
                    "FastGelu" => v / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v)))),
                    _ => v / 2 * (1 + Erf(v / Math.Sqrt(2))),
                };
            }).ToArray(),
            Run(builder, x),
            2e-6);
    }

    private static void Activated(OnnxBuilder plain, string activation, float[] parameters)
    {
        if (activation == "Clip")
            plain.Constant("low", [parameters[0]]).Constant("high", [parameters[1]]).Node("Clip", ["s", "low", "high"], ["y"]);
        else if (activation.Length == 0)
            plain.Node("Identity", ["s"], ["y"]);
        else
            plain.Node(activation, ["s"], ["y"], [.. parameters.Select((value, i) => OnnxBuilder.Float(i == 0 ? "alpha" : "beta", value))]);
    }

    // The series of the error function, and past 3 its continued fraction.
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 3)
        {
            var fraction = 0.0;
            for (var k = 60; k > 0; k--)
                fraction = k / 2.0 / (Math.Abs(x) + fraction);
            return Math.Sign(x) * (1 - (Math.Exp(-x * x) / Math.Sqrt(Math.PI) / (Math.Abs(x) + fraction)));
        }

        var (term, sum) = (x, x);
        for (var k = 1; k < 100; k++)
        {
            term *= -x * x / k;
            sum += term / ((2 * k) + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private static void Near(double[] expected, float[] actual, double bound)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(actual[i], expected[i] - bound, expected[i] + bound);
    }

    private static float[] Run(OnnxBuilder builder, params float[][] inputs)
    {
        var network = builder.Output("y").Read();
        using var session = new InferenceSession(network, new() { Threads = 2 });
        for (var i = 0; i < network.Inputs.Count; i++)
        {
            var numbers = i < inputs.Length ? inputs[i] : RandomData.Floats((int)network.Inputs[i].Type.Shape.ElementCount, i + 3);
            MemoryMarshal.AsBytes(numbers.AsSpan()).CopyTo(session.InputBytes(i));
        }

        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
    }
}
