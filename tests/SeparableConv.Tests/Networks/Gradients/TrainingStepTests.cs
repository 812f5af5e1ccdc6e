using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Forward, backward and update as one compiled network whose parameters are memory.</summary>
[Collection(QuietCollection.Name)]
public sealed class TrainingStepTests
{
    private const int Batch = 32;

    private static readonly TensorType Numbers = new(ElementType.Float32, new TensorShape((int)OptimizerNumber.Count));

    private static readonly OptimizerOperator Descent = new(
        new(OptimizerKind.Sgd, 0, false, 0, 0, 0, false), decays: false, averages: false);

    [Fact]
    public void Steps_lower_the_error_and_leave_the_network_as_it_was()
    {
        var network = Classifier();
        var before = network.Parameters.Select(parameter => parameter.Data!.Bytes.ToArray()).ToArray();
        using var step = new StepUnderTest(network, threads: 2);
        var first = step.Run();
        for (var i = 0; i < 300; i++)
            step.Run();
        Assert.InRange(step.Run(), 0, 0.1 * first);
        for (var i = 0; i < before.Length; i++)
        {
            Assert.True(network.Parameters[i].Data!.Bytes.SequenceEqual(before[i]));
            Assert.False(step.Parameter(i).SequenceEqual(before[i]), $"'{network.Parameters[i].Name}' has not learned");
        }
    }

    [Fact]
    public void Steps_give_the_same_bits_on_any_number_of_threads()
    {
        var network = Classifier();
        using var alone = new StepUnderTest(network, threads: 1);
        foreach (var threads in new[] { 2, 7 })
        {
            using var together = new StepUnderTest(network, threads);
            for (var i = 0; i < 20; i++)
            {
                alone.Run();
                together.Run();
            }

            for (var i = 0; i < network.Parameters.Count; i++)
                Assert.True(
                    alone.Parameter(i).SequenceEqual(together.Parameter(i)),
                    $"'{network.Parameters[i].Name}' differs on {threads} threads");
            alone.Reset();
        }
    }

    [Fact]
    public void Steps_allocate_nothing()
    {
        using var step = new StepUnderTest(Classifier(), threads: 1);
        Allocations.AreNone(("a step of gradient descent", () => step.Run()));
    }

    [Fact]
    public void A_network_whose_parameters_learn_runs_in_one_session()
    {
        using var compiled = new CompiledNetwork(Classifier(), new(), PassList.Step);
        using var session = new InferenceSession(compiled);
        Assert.Contains(
            "one session",
            Assert.Throws<InvalidOperationException>(() => new InferenceSession(compiled)).Message,
            StringComparison.Ordinal);
        session.Dispose();
        new InferenceSession(compiled).Dispose();

        // A parameter that no step reads has no place.
        using var frozen = new CompiledNetwork(Classifier());
        using var runner = new StepRunner(frozen);
        Assert.Throws<ArgumentException>(() => runner.Parameter(Classifier().Parameters[0]).Shape);
    }

    [Fact]
    public void Reading_a_parameter_after_its_update_is_refused()
    {
        var network = Classifier();
        var graph = new GraphBuilder(network);
        var (w, rate) = (network.Parameters[0], graph.Input("numbers", Numbers));
        var updated = graph.Add("update", Descent, w, w, rate);
        var late = graph.Add("late", new ActivationOperator(Activation.ReLU), w);
        var error = Assert.Throws<NetworkException>(() => new CompiledNetwork(graph.Build("late", updated, late), new(), PassList.Step));
        Assert.Contains("'late' (Activation) reads", error.Message, StringComparison.Ordinal);

        // What the update gives may be read.
        graph = new GraphBuilder(network);
        rate = graph.Input("numbers", Numbers);
        var fresh = graph.Add("fresh", new ActivationOperator(Activation.ReLU), graph.Add("update", Descent, w, w, rate));
        using var compiled = new CompiledNetwork(graph.Build("fresh", fresh), new(), PassList.Step);
        using var session = new InferenceSession(compiled);
        session.Input<float>("numbers").Fill(0.25f);
        session.Run();
        session.Run();
        var numbers = w.Data!.Span<float>();
        for (var i = 0; i < numbers.Length; i++)
            Assert.Equal(Math.Max(0, numbers[i] * 0.75f * 0.75f), session.Output<float>(0)[i / 16, i % 16], 1e-6f);
    }

    private static Network Classifier()
    {
        var net = new NetworkBuilder(seed: 3);
        var x = net.Input(new(10), batchSize: Batch);
        x = net.Dense(x, 16, Activation.ReLU);
        return net.Build(net.Dense(x, 3));
    }

    /// <summary>Half the squared distance from numbers that a hidden network gives, lowered by gradient descent.</summary>
    private sealed class StepUnderTest : IDisposable
    {
        private readonly Network _network;
        private readonly CompiledNetwork _compiled;
        private readonly float[] _inputs = RandomData.Floats(Batch * 10, 1);
        private readonly float[] _targets;
        private readonly StepRunner _runner;

        public StepUnderTest(Network network, int threads)
        {
            _network = network;
            var forward = PassList.Training.Run(network);
            var graph = new GraphBuilder(forward);
            var y = forward.Outputs[0];
            var target = graph.Input("target", y.Type);
            var rate = graph.Input("numbers", Numbers);
            var distance = graph.Add("distance", new BinaryOperator(BinaryKind.Sub, Activation.None), y, target);
            var gradients = GradientGraph.Add(graph, [(y, distance)], [.. forward.Parameters]);
            var updates = forward.Parameters.Select(
                (parameter, i) => graph.Add($"{parameter.Name}/update", Descent, parameter, gradients[i], rate));
            _compiled = new CompiledNetwork(graph.Build("step", [distance, .. updates]), new() { Threads = threads }, PassList.Step);
            _runner = new StepRunner(_compiled);
            _targets = Array.ConvertAll(RandomData.Floats(Batch * 3, 2), number => number / 2);
            Write();
        }

        public double Run()
        {
            _runner.Run();
            var sum = 0.0;
            foreach (var distance in _runner.Outputs[0].Span<float>())
                sum += distance * distance / 2;
            return sum;
        }

        public Span<byte> Parameter(int index) => _runner.Parameter(_network.Parameters[index]).Bytes();

        public void Reset()
        {
            for (var i = 0; i < _network.Parameters.Count; i++)
                _network.Parameters[i].Data!.Bytes.CopyTo(Parameter(i));
        }

        public void Dispose()
        {
            _runner.Dispose();
            _compiled.Dispose();
        }

        private void Write()
        {
            _inputs.CopyTo(_runner.Inputs[0].Span<float>());
            _targets.CopyTo(_runner.Inputs[1].Span<float>());
            _runner.Inputs[2].Span<float>()[(int)OptimizerNumber.Rate] = 0.02f;
        }
    }
}
