using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.Onnx;
using SeparableConv.Networks.Formats.Onnx.Schema;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;
using AttributeType = SeparableConv.Networks.Formats.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>If with its branches, and functions that a model brings with it.</summary>
public sealed class OnnxBranchTests
{
    private static readonly float[] Numbers = [-2, 3, 0.5f, -0.25f];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_a_known_condition_one_branch_is_read(bool condition)
    {
        // What PyTorch writes for squeeze: a look at a length decides.
        var model = new OnnxBuilder(13).Input("x", condition ? "1" : "4", condition ? "4" : "1")
            .Constant("first", [0L]).Constant("one", [1L]).Constant("axes", [0L], 1)
            .Node("Shape", ["x"], ["shape"]).Node("Gather", ["shape", "first"], ["length"]).Node("Equal", ["length", "one"], ["is"])
            .Node("If", ["is"], ["y"], Branch("then_branch", ["s"], Made("Squeeze", ["x", "axes"], "s")), Branch("else_branch", ["x"]))
            .Output("y");
        var network = model.Read();
        Assert.DoesNotContain(network.Nodes, node => node.Operator.Kind is "Where" or "RunTimeGraph");
        Assert.Equal(condition ? new TensorShape(4) : new TensorShape(4, 1), network.Outputs[0].Type.Shape);
        Assert.Equal(Numbers, Run(network, Numbers));
    }

    [Fact]
    public void Of_an_unknown_condition_both_branches_are_planned_where_they_fit_each_other()
    {
        // Both branches have a value 'c' and a stored 'k' of their own.
        var network = Conditional(
            [Branch("then_branch", ["c"], [("k", [2f])], Made("Mul", ["x", "k"], "c")),
                Branch("else_branch", ["d"], [("k", [-1f])], Made("Add", ["x", "k"], "c"), Made("Relu", ["c"], "d"))]).Read();
        Assert.DoesNotContain(network.Nodes, node => node.Operator.Kind == "RunTimeGraph");
        Assert.Equal([-4, 6, 1, -0.5f], Run(network, Numbers, 1));
        Assert.Equal([0, 2, 0, 0], Run(network, Numbers, -1));
    }

    [Fact]
    public void Of_an_unknown_condition_one_branch_is_run_where_they_differ_in_shape()
    {
        var network = Conditional(
            [Branch("then_branch", ["c"], [("k", [-1f])], Made("Mul", ["x", "k"], "c")),
                Branch("else_branch", ["c"], Made("ReduceSum", ["x"], "c", Int("keepdims", 0)))]).Read();
        Assert.Equal([2, -3, -0.5f, 0.25f], Run(network, Numbers, 1));
        Assert.Equal([1.25f], Run(network, Numbers, -1));
    }

    [Fact]
    public void The_branch_that_is_not_taken_does_not_end_the_run()
    {
        // Where the condition is false, the index is out of range.
        var model = new OnnxBuilder(13).Input("x", "4").Input("c", "1")
            .Constant("zero", [0f]).Constant("far", [9L], 1).Constant("near", [1L], 1)
            .Node("Greater", ["c", "zero"], ["is"]).Node("Where", ["is", "near", "far"], ["i"])
            .Node("If", ["is"], ["y"], Branch("then_branch", ["g"], Made("Gather", ["x", "i"], "g")), Branch("else_branch", ["one"]))
            .Constant("one", [1f], 1).Output("y");
        var network = model.Read();
        Assert.Equal([3], Run(network, Numbers, 1));
        Assert.Equal([1], Run(network, Numbers, -1));
    }

    [Fact]
    public void Nodes_may_have_one_name()
    {
        AttributeProto[] Branches(float factor) =>
        [
            Branch("then_branch", ["c"], [("k", [factor])], Made("Mul", ["x", "k"], "c")), Branch("else_branch", ["x"]),
        ];
        var model = new OnnxBuilder(13).Input("x", "4").Constant("is", [true]).Output("y")
            .Node("If", ["is"], ["a"], Branches(2)).Node("If", ["is"], ["b"], Branches(5)).Node("Add", ["a", "b"], ["y"]);
        foreach (var node in model.Model.Graph.Node)
            node.Name = "same";
        Assert.Equal(Array.ConvertAll(Numbers, x => 7 * x), Run(model.Read(), Numbers));
    }

    [Fact]
    public void Branches_that_are_wrong_are_refused()
    {
        var lstm = Conditional([Branch("then_branch", ["c"], Made("LSTM", ["x"], "c")), Branch("else_branch", ["x"])]);
        Refused(lstm, "LSTM");
        var missing = Conditional([Branch("then_branch", ["x"])]);
        Refused(missing, "'else_branch' is missing");
        var more = new OnnxBuilder().Input("x", "4").Constant("is", [true])
            .Node("If", ["is"], ["y"], Branch("then_branch", ["x", "x"]), Branch("else_branch", ["x"])).Output("y");
        Refused(more, "a branch has 2 outputs");
    }

    [Fact]
    public void A_function_is_its_nodes()
    {
        // y = scaled(x, by: 3) + scaled(x), in which scaled calls another function and has a default.
        var model = new OnnxBuilder(18).Input("x", "4").Output("y");
        Call(model, "scaled", ["x"], ["a"], ("by", 3));
        Call(model, "scaled", ["x"], ["b"]);
        model.Node("Add", ["a", "b"], ["y"]);
        var scaled = Function("scaled", ["in"], ["out"]);
        scaled.AttributeProto.Add(new AttributeProto { Name = "by", F = 0.5f, Type = AttributeType.Float });
        var constant = Made("Constant", [], "factor");
        constant.Attribute.Add(new AttributeProto { Name = "value_float", RefAttrName = "by", Type = AttributeType.Float });
        var call = Made("twice", ["in"], "t");
        call.Domain = "own";
        scaled.Node.Add([constant, call, Made("Mul", ["t", "factor"], "out")]);
        var twice = Function("twice", ["x"], ["y"]);
        twice.Node.Add(Made("Add", ["x", "x"], "y"));
        model.Model.Functions.Add([scaled, twice]);
        Assert.Equal(Array.ConvertAll(Numbers, x => 7 * x), Run(model.Read(), Numbers));
    }

    [Fact]
    public void A_function_may_leave_out_inputs_and_give_back_an_input()
    {
        var model = new OnnxBuilder(18).Input("x", "4").Output("y");
        Call(model, "f", ["x"], ["y"]);
        var f = Function("f", ["in", "least", "most"], ["in"]);
        model.Model.Functions.Add(f);
        Assert.Equal(Numbers, Run(model.Read(), Numbers));

        f.Output[0] = "out";
        f.Node.Add(Made("Clip", ["in", "least", "most"], "out"));
        Assert.Equal(Numbers, Run(model.Read(), Numbers));
    }

    [Fact]
    public void A_function_in_another_opset_is_read_in_its_own()
    {
        // Up to opset 12 a softmax runs over all dimensions from its axis on.
        var model = new OnnxBuilder(18).Input("x", "1", "2", "2").Output("y");
        Call(model, "f", ["x"], ["y"]);
        var f = Function("f", ["in"], ["out"]);
        f.OpsetImport[0].Version = 11;
        f.Node.Add(Made("Softmax", ["in"], "out"));
        model.Model.Functions.Add(f);
        var result = Run(model.Read(), Numbers);
        Assert.Equal(1, result.Sum(), 1e-5);
    }

    [Fact]
    public void Functions_that_never_end_are_refused()
    {
        var model = new OnnxBuilder(18).Input("x", "4").Output("y");
        Call(model, "f", ["x"], ["y"]);
        var f = Function("f", ["in"], ["out"]);
        var again = Made("f", ["in"], "out");
        again.Domain = "own";
        f.Node.Add(again);
        model.Model.Functions.Add(f);
        Refused(model, "levels deep");

        // Each of these calls the next one four times: 4 to the 20th nodes.
        model = new OnnxBuilder(18).Input("x", "4").Output("y");
        Call(model, "f0", ["x"], ["y"]);
        for (var level = 0; level < 20; level++)
        {
            var one = Function($"f{level}", ["in"], ["out"]);
            for (var i = 0; i < 4; i++)
            {
                var next = Made($"f{level + 1}", ["in"], i == 0 ? "out" : $"o{i}");
                next.Domain = "own";
                one.Node.Add(next);
            }

            model.Model.Functions.Add(one);
        }

        Refused(model, "levels deep");
    }

    [Fact]
    public void A_call_that_does_not_fit_is_refused()
    {
        var model = new OnnxBuilder(18).Input("x", "4").Output("y");
        Call(model, "f", ["x", "x"], ["y"]);
        model.Model.Functions.Add(Function("f", ["in"], ["in"]));
        Refused(model, "2 inputs and 1 outputs are named");
        model.Model.Functions.Add(Function("f", ["in"], ["in"]));
        Refused(model, "Two functions");
    }

    private static void Refused(OnnxBuilder model, string why) =>
        Assert.Contains(why, Assert.Throws<NetworkException>(() => model.Read()).Message, StringComparison.Ordinal);

    // The condition is whether the input 'c' is above 0.
    private static OnnxBuilder Conditional(AttributeProto[] branches) => new OnnxBuilder(13).Input("x", "4").Input("c", "1")
        .Constant("zero", [0f]).Node("Greater", ["c", "zero"], ["is"]).Node("If", ["is"], ["y"], branches).Output("y");

    private static AttributeProto Branch(string name, string[] outputs, params NodeProto[] nodes) => Branch(name, outputs, [], nodes);

    private static AttributeProto Branch(string name, string[] outputs, (string Name, float[] Values)[] stored, params NodeProto[] nodes)
    {
        var graph = new GraphProto { Node = { nodes } };
        graph.Initializer.Add(stored.Select(one => OnnxTensors.Write(one.Name, TensorData.Create(one.Values, one.Values.Length))));
        graph.Output.Add(outputs.Select(output => new ValueInfoProto { Name = output }));
        return new AttributeProto { Name = name, G = graph, Type = AttributeType.Graph };
    }

    private static NodeProto Made(string type, string[] inputs, string output, params AttributeProto[] attributes) =>
        new() { OpType = type, Input = { inputs }, Output = { output }, Attribute = { attributes } };

    private static FunctionProto Function(string name, string[] inputs, string[] outputs) => new()
    {
        Name = name,
        Domain = "own",
        Input = { inputs },
        Output = { outputs },
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 18 } },
    };

    private static void Call(
        OnnxBuilder model, string function, string[] inputs, string[] outputs, params (string Name, float Value)[] attributes)
    {
        var given = attributes.Select(one => new AttributeProto { Name = one.Name, F = one.Value, Type = AttributeType.Float });
        model.Node(function, inputs, outputs, [.. given]);
        model.Model.Graph.Node[^1].Domain = "own";
    }

    private static float[] Run(Network network, float[] x, float? condition = null)
    {
        using var session = new InferenceSession(network);
        x.CopyTo(MemoryMarshal.Cast<byte, float>(session.InputBytes(0)));
        if (condition is { } c)
            session.Input<float>("c")[0] = c;
        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
    }
}
