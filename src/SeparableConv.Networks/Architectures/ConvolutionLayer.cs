namespace SeparableConv.Networks.Architectures;

/// <summary>The 3x3 layer of architectures that are built with convolutions of either kind.</summary>
internal static class ConvolutionLayer
{
    /// <summary>Adds one of stride 1 that keeps the size, without a bias or an activation: what follows normalizes.</summary>
    public static Value Add(
        NetworkBuilder net, Value x, int filters, Convolutions convolutions, int depthMultiplier, string name) =>
        convolutions == Convolutions.Standard
            ? net.Conv2D(
                x,
                filters,
                3,
                padding: Padding.Same,
                useBias: false,
                kernelInitializer: Initializer.HeUniform,
                name: name)
            : net.SeparableConv2D(
                x,
                filters,
                3,
                padding: Padding.Same,
                depthMultiplier: depthMultiplier,
                useBias: false,
                depthwiseInitializer: Initializer.LecunUniform,
                pointwiseInitializer: Initializer.HeUniform,
                name: name);
}
