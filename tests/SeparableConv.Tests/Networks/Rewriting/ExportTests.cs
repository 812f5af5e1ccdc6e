using SeparableConv.Networks.Rewriting;
using SeparableConv.Tests.Networks.Inference;

namespace SeparableConv.Tests.Networks.Rewriting;

/// <summary>A network that was made ready to run fast can still be written: what was joined is taken apart.</summary>
public sealed class ExportTests
{
    [Fact]
    public void A_network_whose_operators_were_joined_is_written_and_read_again()
    {
        var network = MobileNetV2.Create(width: 0.35, resolution: 64, classes: 5);
        var joined = PassList.Inference.Run(network);
        Assert.Contains(joined.Nodes, node => node.Operator.Kind == "InvertedBottleneck");
        using var file = new MemoryStream();
        OnnxWriter.Write(joined, file);
        file.Position = 0;
        var read = OnnxReader.Read(file);
        Assert.Equal(network.Outputs[0].Name, read.Outputs[0].Name);

        var expected = NodeByNode.Run(network).Outputs[0].Span<float>();
        var actual = NodeByNode.Run(read).Outputs[0].Span<float>();
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-5f);
    }

    [Fact]
    public void Joined_operators_taken_apart_give_the_same_bits()
    {
        var joined = PassList.Inference.Run(MobileNetV2.Create(width: 0.35, classes: 5));
        Assert.Contains(joined.Nodes, node => node.Operator is FusedExpansionOperator { Shortcut: BlockShortcut.None });
        Assert.Contains(joined.Nodes, node => node.Operator is FusedExpansionOperator { Shortcut: BlockShortcut.Tensor });
        var apart = new Unfusing().Run(joined);
        Assert.DoesNotContain(apart.Nodes, node => node.Operator.Kind is "InvertedBottleneck" or "SeparableConv2D");
        Assert.Equal(Run(joined), Run(apart));

        var gated = PassList.Inference.Run(MobileNetV3.CreateSmall(width: 0.35, resolution: 64, classes: 5));
        Assert.Contains(gated.Nodes, node => node.Operator is GatedBlockOperator { Expand: not null, HasShortcut: false });
        Assert.Contains(gated.Nodes, node => node.Operator is GatedBlockOperator { Expand: not null, HasShortcut: true });
        var free = new Unfusing().Run(gated);
        Assert.DoesNotContain(free.Nodes, node => node.Operator.Kind == "GatedBottleneck");
        var first = PassList.Inference.Run(MobileNetV3.CreateLarge(resolution: 64, classes: 5));
        Assert.Contains(first.Nodes, node => node.Operator is FusedExpansionOperator { Shortcut: BlockShortcut.Expanded });
        AssertAlike(first, new Unfusing().Run(first));
        AssertAlike(gated, free);

        // Means are summed in another order.
        static void AssertAlike(Network joined, Network apart)
        {
            foreach (var (expected, actual) in Run(joined).Zip(Run(apart)))
                Assert.Equal(expected, actual, 1e-6f);
        }

        static float[] Run(Network network)
        {
            using var compiled = new CompiledNetwork(network, new() { Threads = 1 }, PassList.Step);
            using var session = new InferenceSession(compiled);
            new Random(1).NextBytes(session.InputBytes(0));
            foreach (ref var number in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(session.InputBytes(0)))
                number = BitConverter.SingleToInt32Bits(number % 1000 / 1000f);
            session.Run();
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
        }
    }
}
