namespace SeparableConv.Networks.Rewriting;

/// <summary>
/// Passes in the order in which they rewrite a network. Each takes a network and gives another; none changes what it was given.
/// </summary>
internal sealed class PassList(params Func<NetworkPass>[] passes)
{
    /// <summary>
    /// For running a network fast: parameters are frozen, layers of bytes run in integers, and what can be joined is joined.
    /// </summary>
    public static PassList Inference { get; } = new(
        () => new Freezing(),
        () => new SlopeFolding(),

        // Before constants are folded, while dequantized ones are still bytes.
        () => new IntegerLowering(),
        () => new IntegerSums(),
        () => new ConstantFolding(),

        // Slopes that were stored as 16-bit floats are constants now.
        () => new SlopeFolding(),
        () => new Simplification(),
        () => new ScaledSumsFusion(),
        () => new DenseLowering(),
        () => new ActivationRecognition(),
        () => new AffineFolding(),
        () => new NextConvFolding(),
        () => new PadFolding(),
        () => new ActivationFusion(),
        () => new ChannelMapFusion(),
        () => new GateFusion(),
        () => new SeparableFusion(),
        () => new QuantizedBlockFusion(),
        () => new ShortcutFusion(),
        () => new ExpansionFusion(),
        () => new GatedBlockFusion(),
        () => new OutputCopies());

    /// <summary>For running a network node by node as it is.</summary>
    public static PassList Plain { get; } = new(() => new Freezing(), () => new OutputCopies());

    /// <summary>
    /// For training, before gradients are added: parameters stay what they are, nothing is folded that depends on them, and each node is
    /// one that has a gradient by itself.
    /// </summary>
    public static PassList Training { get; } = new(() => new ActivationRecognition(), () => new ActivationSplitting());

    /// <summary>
    /// For taking convolutions apart: all that can be part of their weights is, and each activation is a node of its own, behind the sums.
    /// </summary>
    public static PassList Separating { get; } = new(
        () => new Freezing(),
        () => new SlopeFolding(),
        () => new ConstantFolding(),
        () => new Simplification(),
        () => new DenseLowering(),
        () => new ActivationRecognition(),
        () => new AffineFolding(),
        () => new NextConvFolding(),
        () => new PadFolding(),
        () => new ActivationSplitting());

    /// <summary>For compiling a training step: parameters are memory, and nothing else changes.</summary>
    public static PassList Step { get; } = new(() => new OutputCopies());

    /// <summary>
    /// For writing a network to a file: joined operators are taken apart again, and parameters are numbers like all others.
    /// </summary>
    public static PassList Exporting { get; } = new(() => new Freezing(), () => new Unfusing());

    /// <summary>The network that the passes make of another.</summary>
    /// <exception cref="NetworkException">A node cannot be computed; the message names it.</exception>
    public Network Run(Network network)
    {
        foreach (var pass in passes)
            network = pass().Run(network);
        return network;
    }
}
