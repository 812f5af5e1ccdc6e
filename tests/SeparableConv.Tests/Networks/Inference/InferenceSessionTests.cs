using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Inference;

public class InferenceSessionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_session_gives_the_same_bits_on_any_number_of_threads(int threads)
    {
        var network = Blocks(64, 6);
        using var alone = new InferenceSession(network, new() { Threads = 1 });
        using var together = new InferenceSession(network, new() { Threads = threads });
        var input = RandomData.Floats((int)network.Inputs[0].Shape.ElementCount, 3);
        foreach (var session in new[] { alone, together })
        {
            Write(session, input);
            session.Run();
        }

        Assert.True(alone.OutputBytes(0).SequenceEqual(together.OutputBytes(0)));
    }

    [Fact]
    public void Compiled_blocks_give_what_their_nodes_give() => CompiledComparison.Check(Blocks(24, 4));

    [Fact]
    public void An_input_may_be_an_output_and_keeps_its_numbers()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Float(1, 2, 2, 3));
        var y = graph.Add("conv", new Conv2DOperator(new()), x, Weights(graph, 1, 1, 3, 4));
        using var session = new InferenceSession(graph.Build("n", x, y, x));
        session.InputBytes(0).Fill(1);
        session.Run();
        session.InputBytes(0).Fill(2);
        Assert.Equal(-1, session.OutputBytes(0).IndexOfAnyExcept((byte)1));
        Assert.Equal(-1, session.OutputBytes(2).IndexOfAnyExcept((byte)1));
    }

    [Fact]
    public void A_constant_may_be_an_output()
    {
        var graph = new GraphBuilder();
        graph.Input("x", Float(1, 2));
        using var session = new InferenceSession(graph.Build("n", graph.Constant("c", TensorData.Create([1f, 2f, 3f], 3))));
        session.Run();
        Assert.Equal([1f, 2f, 3f], MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray());
    }

    [Fact]
    public void An_output_may_be_read_by_another_node_and_an_input_by_nobody()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Float(1, 5, 5, 3));
        graph.Input("unused", Float(7));
        var y = graph.Add("first", new Conv2DOperator(new()), x, Weights(graph, 3, 3, 3, 4));
        var z = graph.Add("second", new DepthwiseConv2DOperator(new() { Padding = Padding.Same }), y, Weights(graph, 3, 3, 4, 1));
        var w = graph.Add("third", new Conv2DOperator(new()), z, Weights(graph, 1, 1, 4, 4));
        CompiledComparison.Check(graph.Build("n", z, y, w));
        CompiledComparison.Check(graph.Build("n", w, y));
    }

    [Fact]
    public void Sessions_share_a_compiled_network_and_run_at_the_same_time()
    {
        var compiled = new CompiledNetwork(Blocks(16, 3), new() { Threads = 2 });
        Assert.True(compiled.PackedBytes > 0);
        var answers = new byte[4][];
        Parallel.For(0, answers.Length, i =>
        {
            using var session = new InferenceSession(compiled);
            Write(session, RandomData.Floats((int)compiled.Inputs[0].Shape.ElementCount, 5));
            for (var run = 0; run < 20; run++)
                session.Run();
            answers[i] = session.OutputBytes(0).ToArray();
        });
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
    }

    [Fact]
    public async Task A_second_run_meanwhile_is_refused()
    {
        using var session = new InferenceSession(Blocks(64, 8), new() { Threads = 1 });
        using var begun = new ManualResetEventSlim();
        var stop = false;
        var other = Task.Run(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                begun.Set();
                TryRun(session);
            }
        });
        begun.Wait();
        var watch = Stopwatch.StartNew();
        var refused = false;
        while (!refused && watch.Elapsed < TimeSpan.FromSeconds(20))
            refused = !TryRun(session);
        Volatile.Write(ref stop, true);
        await other;
        Assert.True(refused);
        Assert.True(TryRun(session));
    }

    [Fact]
    public void A_disposed_session_is_refused()
    {
        var session = new InferenceSession(Blocks(4, 1));
        session.Dispose();
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(session.Run);
        Assert.Throws<ObjectDisposedException>(session.Run);
        Assert.Throws<ObjectDisposedException>(() => session.InputBytes(0).Length);
        Assert.Throws<ObjectDisposedException>(() => session.Output<float>(0).FlattenedLength);
    }

    [Fact]
    public void More_memory_than_the_limit_is_refused_before_it_is_allocated()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Float(1, 20000, 20000, 1));
        var y = graph.Add("conv", new Conv2DOperator(new()), x, Weights(graph, 1, 1, 1, 1));
        var network = graph.Build("large", y);
        var e = Assert.Throws<NetworkException>(() => new CompiledNetwork(network, new() { MemoryLimit = 1L << 30 }));
        Assert.Contains("3200000320 bytes", e.Message, StringComparison.Ordinal);

        graph = new GraphBuilder();
        x = graph.Input("x", Float(1, 30000, 30000, 1));
        e = Assert.Throws<NetworkException>(() => new CompiledNetwork(graph.Build("larger", x)));
        Assert.Contains("3600000000 bytes", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_shape_or_number_of_threads_is_refused()
    {
        var network = Blocks(4, 1);
        using var session = new InferenceSession(network);
        var wrong = System.Numerics.Tensors.Tensor.Create(new float[4], [1, 1, 1, 4]);
        Assert.Contains(
            "the network was made for (1,14,14,4)",
            Assert.Throws<ArgumentException>(() => session.Run(wrong)).Message,
            StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => session.Input<byte>(0).FlattenedLength);
        Assert.Throws<ArgumentException>(() => new CompiledNetwork(network, new() { Threads = 0 }));
    }

    [Fact]
    public void The_profile_has_a_time_a_step_and_no_multiplication_is_lost()
    {
        var network = Blocks(32, 3);
        using var session = new InferenceSession(network);
        var profile = session.Profile();
        Assert.Equal(session.Compiled.Steps, profile.Select(time => time.Step));
        Assert.All(profile, time => Assert.True(time.Milliseconds > 0));
        Assert.Equal(network.Macs, session.Compiled.Macs);
    }

    [Fact]
    public void Inputs_and_outputs_are_found_by_name()
    {
        var network = Blocks(4, 1);
        using var session = new InferenceSession(network);
        session.Input<float>(network.Inputs[0].Name).Fill(0.5f);
        session.Run();
        Assert.Equal(session.Output<float>(0)[0, 3, 5, 2], session.Output<float>(network.Outputs[0].Name)[0, 3, 5, 2]);
        Assert.Contains(
            "no input 'y'; it has 'x'",
            Assert.Throws<ArgumentException>(() => session.Input<float>("y").FlattenedLength).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Disposing_frees_all_memory_at_once()
    {
        // 64 MB of packed weights and as much of activations: the process shrinks by most of it while every object is still there.
        var graph = new GraphBuilder();
        var x = graph.Input("x", Float(4096, 4096));
        var network = graph.Build("large", graph.Add("dense", new DenseOperator(Activation.None), x, Weights(graph, 4096, 4096)));
        var session = new InferenceSession(network);
        session.Run();
        Assert.InRange(session.Compiled.PackedBytes, 64L << 20, 65L << 20);
        var before = Environment.WorkingSet;
        session.Dispose();
        Assert.InRange(before - Environment.WorkingSet, 96L << 20, long.MaxValue);
        Assert.Throws<ObjectDisposedException>(session.Run);
        GC.KeepAlive(network);
    }

    [Fact]
    public void A_compiled_network_lets_go_of_the_network_it_was_made_from()
    {
        var (compiled, weights) = Compile();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(weights.IsAlive);
        using var session = new InferenceSession(compiled);
        session.Run();
        compiled.Dispose();

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static (CompiledNetwork, WeakReference) Compile()
        {
            var network = Blocks(8, 2);
            var weights = network.Nodes[0].Inputs[1]!.Data!.Values;
            return (new CompiledNetwork(network), new WeakReference(weights));
        }
    }

    [Fact]
    public void A_disposed_network_is_run_by_no_session()
    {
        var compiled = new CompiledNetwork(Blocks(4, 1));
        using var session = new InferenceSession(compiled);
        session.Run();
        compiled.Dispose();
        Assert.Throws<ObjectDisposedException>(session.Run);
        Assert.Throws<ObjectDisposedException>(() => session.Output<float>(0).FlattenedLength);
        Assert.Throws<ObjectDisposedException>(() => new InferenceSession(compiled));
    }

    [Fact]
    public void A_session_leaves_a_shared_network_to_others()
    {
        using var compiled = new CompiledNetwork(Blocks(4, 1));
        new InferenceSession(compiled).Dispose();
        using var session = new InferenceSession(compiled);
        session.Run();
    }

    private static void Write(InferenceSession session, float[] input) =>
        MemoryMarshal.AsBytes(input.AsSpan()).CopyTo(session.InputBytes(0));

    private static bool TryRun(InferenceSession session)
    {
        try
        {
            session.Run();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static TensorType Float(params ReadOnlySpan<int> shape) => new(ElementType.Float32, new TensorShape(shape));

    private static Value Weights(GraphBuilder graph, params int[] shape) =>
        graph.Constant("w", TensorData.Create(RandomData.Floats(shape.Aggregate((a, b) => a * b), graph.Nodes.Count), shape));

    private static Network Blocks(int channels, int count)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Float(1, 14, 14, channels));
        for (var i = 0; i < count; i++)
        {
            x = graph.Add(
                "dw",
                new DepthwiseConv2DOperator(new() { Padding = Padding.Same, Activation = Activation.ReLU6 }),
                x,
                Weights(graph, 3, 3, channels, 1));
            x = graph.Add("pw", new Conv2DOperator(new() { Activation = Activation.Tanh }), x, Weights(graph, 1, 1, channels, channels));
            if (i == 0)
                x = graph.Add("conv", new Conv2DOperator(new() { Padding = Padding.Same }), x, Weights(graph, 3, 3, channels, channels));
        }

        return graph.Build("blocks", x);
    }
}
