using System.Runtime.InteropServices;
using SeparableConv.Bench;
using SeparableConv.Tests.Networks.Inference;
using SeparableConv.Training;

namespace SeparableConv.Tests.Networks.Architectures;

/// <summary>What joins MobileNetV3's steps, gates and hard swishes changes no answer.</summary>
[Collection(QuietCollection.Name)]
public class MobileNetV3Tests
{
    private static readonly Dictionary<string, Func<int, int, Convolutions, Network>> Sizes = new()
    {
        ["large"] = (resolution, batch, convolutions) =>
            MobileNetV3.CreateLarge(0.5, resolution, 10, convolutions, batchSize: batch),
        ["small"] = (resolution, batch, convolutions) =>
            MobileNetV3.CreateSmall(0.5, resolution, 10, convolutions, batchSize: batch),
    };

    public static TheoryData<string> Names => [.. Sizes.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Compiled_networks_give_what_their_nodes_give(string name)
    {
        foreach (var convolutions in Enum.GetValues<Convolutions>())
        {
            CompiledComparison.Check(BatchStatistics.Randomize(Sizes[name](96, 1, convolutions)));
            CompiledComparison.Check(BatchStatistics.Randomize(Sizes[name](41, 2, convolutions)), threads: 2);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_bits_are_the_same_on_any_number_of_threads(string name)
    {
        foreach (var batch in new[] { 1, 3 })
        {
            var network = BatchStatistics.Randomize(Sizes[name](128, batch, Convolutions.Separable));
            var alone = Run(network, 1);
            foreach (var threads in new[] { 2, 3 })
                Assert.Equal(alone, Run(network, threads));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Runs_allocate_nothing(int threads)
    {
        using var large = new InferenceSession(Sizes["large"](96, 1, Convolutions.Separable), new() { Threads = threads });
        using var small = new InferenceSession(Sizes["small"](96, 1, Convolutions.Separable), new() { Threads = threads });
        Allocations.AreNone(($"large on {threads} threads", large.Run), ($"small on {threads} threads", small.Run));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_training_learns_a_batch(string name)
    {
        var network = Sizes[name](32, 1, Convolutions.Separable);
        using var step = new TrainingStep(network, new TrainingOptions { BatchSize = 8, Threads = 2 });
        RandomData.Floats(step.Pixels.Length, 3).CopyTo(step.Pixels);
        for (var n = 0; n < step.BatchSize; n++)
            step.Labels[n] = n;
        var first = step.Forward();
        var last = first;
        for (var i = 0; i < 60; i++)
        {
            last = step.Forward();
            step.Backward();
            step.Update(0.01);
        }

        Assert.True(last < first / 4, $"The loss was {first} and is {last}.");
    }

    private static float[] Run(Network network, int threads)
    {
        using var session = new InferenceSession(network, new() { Threads = threads });
        MemoryMarshal.AsBytes(RandomData.Floats((int)network.Inputs[0].Shape.ElementCount, 5).AsSpan()).CopyTo(session.InputBytes(0));
        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
    }
}
