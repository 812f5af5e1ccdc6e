using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Variables that a session keeps from run to run, and operators with graphs of their own.</summary>
public class TFLiteStateTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_last_frames_of_a_stream(bool optimize)
    {
        // The frames of the last three runs, the newest last.
        var network = Window(new[] { 7f, 8f }).Read();
        using var compiled = new CompiledNetwork(network, new() { Optimize = optimize });
        using var first = new InferenceSession(compiled);
        using var second = new InferenceSession(compiled);
        Assert.Equal([7f, 8, 1], Frame(first, 1));
        Assert.Equal([8f, 1, 2], Frame(first, 2));
        Assert.Equal([7f, 8, 5], Frame(second, 5));
        Assert.Equal([1f, 2, 3], Frame(first, 3));
        first.Reset();
        Assert.Equal([7f, 8, 4], Frame(first, 4));
        Assert.Equal([8f, 5, 6], Frame(second, 6));
        Assert.Equal([5f, 6, 9], Profiled(second, 9));
        Assert.Equal([6f, 9, 1], Frame(second, 1));
        Assert.Single(network.States);
        Assert.Single(network.Inputs);
    }

    [Fact]
    public void Without_an_initialization_a_stream_begins_with_zeros()
    {
        using var session = new InferenceSession(Window(null).Read());
        Assert.Equal([0f, 0, 1], Frame(session, 1));
        Assert.Equal([0f, 1, 2], Frame(session, 2));
    }

    [Fact]
    public void Two_variables_that_exchange_what_they_hold()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1, 2] };
        file.Tensor(ElementType.Float32, [1]);
        file.Tensor(ElementType.Float32, [1]);
        file.Tensor(ElementType.Float32, [1]);
        var init = file.Branch();
        Assign(init, init.Variable("a"), init.Constant([1f], [1]));
        Assign(init, init.Variable("b"), init.Constant([2f], [1]));
        file.Operator(BuiltinOperator.CALL_ONCE, [], [], 103, new() { [0] = 1 });
        var (a, b) = (file.Variable("a"), file.Variable("b"));
        file.Operator(BuiltinOperator.READ_VARIABLE, [a], [1]);
        file.Operator(BuiltinOperator.READ_VARIABLE, [b], [2]);
        Assign(file, a, 2);
        Assign(file, b, 1);
        using var session = new InferenceSession(file.Read());
        for (var run = 0; run < 4; run++)
        {
            session.Run();
            Assert.Equal(run % 2 == 0 ? [1f, 2] : [2f, 1], Numbers(session, 0).Concat(Numbers(session, 1)));
        }
    }

    [Fact]
    public void A_variable_that_is_written_first_is_no_state()
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [1] };
        file.Tensor(ElementType.Float32, [1]);
        file.Tensor(ElementType.Float32, [1]);
        var a = file.Variable("a");
        Assign(file, a, 0);
        file.Operator(BuiltinOperator.READ_VARIABLE, [a], [1]);
        Assert.Empty(file.Read().States);
        Assert.Equal(3f, MemoryMarshal.Cast<byte, float>(file.Run(BitConverter.GetBytes(3f)))[0]);
    }

    [Fact]
    public void What_a_network_remembers_is_neither_rebatched_nor_written_as_ONNX()
    {
        var network = Window(null).Read();
        Assert.Contains("from run to run", Assert.Throws<NetworkException>(() => network.WithBatch(2)).Message);
        Assert.Contains("from run to run", Assert.Throws<NetworkException>(() => OnnxWriter.Write(network, new MemoryStream())).Message);
    }

    [Theory]
    [InlineData(1f, 4f, 5f)]
    [InlineData(-1f, 4f, -5f)]
    [InlineData(1f, 1f, 2f)]
    public void A_branch_that_is_chosen_while_the_model_runs(float x, float y, float expected)
    {
        // x > 0 ? x + y : x - y
        var file = Branching();
        var zero = file.Constant([0f], [1]);
        var condition = file.Tensor(ElementType.Bool, [1]);
        file.Operator(BuiltinOperator.GREATER, [0, zero], [condition]);
        file.Operator(BuiltinOperator.IF, [condition, 0, 1], [2], 92, new() { [0] = 1, [1] = 2 });
        var z = MemoryMarshal.Cast<byte, float>(file.Run(BitConverter.GetBytes(x), BitConverter.GetBytes(y)))[0];
        Assert.Equal(expected, z);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, -7)]
    public void A_branch_that_is_known_stands_alone(bool condition, int expected)
    {
        var file = Branching();
        file.Operator(BuiltinOperator.IF, [file.Constant([condition], []), 0, 1], [2], 92, new() { [0] = 1, [1] = 2 });
        Assert.Single(file.Read().Nodes);
        Assert.Equal(expected, MemoryMarshal.Cast<byte, float>(file.Run(BitConverter.GetBytes(-3f), BitConverter.GetBytes(4f)))[0]);
    }

    [Fact]
    public void Graphs_that_make_no_sense_are_refused()
    {
        var itself = Branching();
        var (inner, flag) = (itself.Branch(), itself.Constant([true], []));
        inner.Inputs = [inner.Tensor(ElementType.Float32, [1])];
        inner.Outputs = [inner.Tensor(ElementType.Float32, [1])];
        inner.Operator(BuiltinOperator.IF, [inner.Constant([true], []), 0], [1], 92, new() { [0] = 3, [1] = 3 });
        itself.Operator(BuiltinOperator.IF, [flag, 0], [2], 92, new() { [0] = 3, [1] = 3 });
        Refused(itself, "graphs are nested more than 8 deep");

        var missing = Branching();
        missing.Operator(BuiltinOperator.IF, [missing.Constant([true], []), 0, 1], [2], 92, new() { [0] = 9 });
        Refused(missing, "an operator names graph 9 of 3");

        var unknown = Branching();
        var branch = unknown.Branch();
        branch.Operator(BuiltinOperator.WHILE, [], []);
        unknown.Operator(BuiltinOperator.CALL_ONCE, [], [], 103, new() { [0] = 3 });
        Refused(unknown, "uses operator 0 (WHILE), which is not supported");

        var nothing = new TFLiteFile { Inputs = [0], Outputs = [1] };
        nothing.Tensor(ElementType.Float32, [1]);
        nothing.Tensor(ElementType.Float32, [1]);
        nothing.Operator(BuiltinOperator.READ_VARIABLE, [0], [1]);
        Refused(nothing, "stands for no variable");

        var assigning = Branching();
        var (then, condition) = (assigning.Branch(), assigning.Tensor(ElementType.Bool, [1]));
        then.Inputs = [then.Tensor(ElementType.Float32, [1])];
        then.Outputs = [0];
        Assign(then, then.Variable("a"), 0);
        assigning.Operator(BuiltinOperator.GREATER, [0, 1], [condition]);
        assigning.Operator(BuiltinOperator.IF, [condition, 0], [2], 92, new() { [0] = 3, [1] = 3 });
        Refused(assigning, "is assigned in a branch that is only chosen while the model runs");
    }

    private static void Refused(TFLiteFile file, string message) =>
        Assert.Contains(message, Assert.Throws<NetworkException>(() => file.Read()).Message);

    // Two inputs and an output of one number, and two graphs: the sum and the difference.
    private static TFLiteFile Branching()
    {
        var file = new TFLiteFile { Inputs = [0, 1], Outputs = [2] };
        for (var i = 0; i < 3; i++)
            file.Tensor(ElementType.Float32, [1]);
        foreach (var (code, options) in new[] { (BuiltinOperator.ADD, 11), (BuiltinOperator.SUB, 28) })
        {
            var branch = file.Branch();
            (branch.Inputs, branch.Outputs) = ([0, 1], [2]);
            for (var i = 0; i < 3; i++)
                branch.Tensor(ElementType.Float32, [1]);
            branch.Operator(code, [0, 1], [2], options, []);
        }

        return file;
    }

    private static TFLiteFile Window(float[]? initial)
    {
        var file = new TFLiteFile { Inputs = [0], Outputs = [2] };
        file.Tensor(ElementType.Float32, [1, 1]);
        file.Tensor(ElementType.Float32, [1, 2]);
        file.Tensor(ElementType.Float32, [1, 3]);
        file.Tensor(ElementType.Float32, [1, 2]);
        if (initial is not null)
        {
            var init = file.Branch();
            Assign(init, init.Variable("frames"), init.Constant(initial, [1, 2]));
            file.Operator(BuiltinOperator.CALL_ONCE, [], [], 103, new() { [0] = 1 });
        }

        var frames = file.Variable("frames");
        file.Operator(BuiltinOperator.READ_VARIABLE, [frames], [1]);
        file.Operator(BuiltinOperator.CONCATENATION, [1, 0], [2], 10, new() { [0] = 1 });
        file.Operator(BuiltinOperator.SLICE, [2, file.Constant([0, 1], [2]), file.Constant([1, 2], [2])], [3]);
        Assign(file, frames, 3);
        return file;
    }

    private static void Assign(TFLiteFile file, int variable, int value) =>
        file.Operator(BuiltinOperator.ASSIGN_VARIABLE, [variable, value], []);

    private static float[] Frame(InferenceSession session, float frame)
    {
        session.Input<float>(0)[0, 0] = frame;
        session.Run();
        return Numbers(session, 0);
    }

    private static float[] Profiled(InferenceSession session, float frame)
    {
        session.Input<float>(0)[0, 0] = frame;
        session.Profile();
        return Numbers(session, 0);
    }

    private static float[] Numbers(InferenceSession session, int output) =>
        MemoryMarshal.Cast<byte, float>(session.OutputBytes(output)).ToArray();
}
