namespace SeparableConv.Networks.Inference;

/// <summary>The compiler's passes in their order. Each takes a network and gives another; none changes what it was given.</summary>
internal static class NetworkOptimizer
{
    /// <summary>The network to plan and prepare.</summary>
    public static Network Run(Network network, bool optimize)
    {
        if (optimize)
        {
            // First, while dequantized constants are still bytes.
            network = new IntegerLowering().Run(network);
            network = new IntegerSums().Run(network);
            network = new ConstantFolding().Run(network);
            network = new Simplification().Run(network);
            network = new DenseLowering().Run(network);
            network = new AffineFolding().Run(network);
            network = new NextConvFolding().Run(network);
            network = new PadFolding().Run(network);
            network = new ActivationRecognition().Run(network);
            network = new ActivationFusion().Run(network);
            network = new SeparableFusion().Run(network);
            network = new ExpansionFusion().Run(network);
        }

        return new OutputCopies().Run(network);
    }
}
