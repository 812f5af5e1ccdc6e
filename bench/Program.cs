namespace SeparableConv.Bench;

internal static class Program
{
    private static int Main(string[] args)
    {
        switch (args)
        {
            case ["depthwise", .. var rest]:
                return DepthwiseSuite.Run(rest);
            case ["elementwise", .. var rest]:
                return ElementwiseSuite.Run(rest);
            case ["filters", .. var rest]:
                return FilterSuite.Run(rest);
            case ["fused", .. var rest]:
                return FusedSuite.Run(rest);
            case ["gradients", .. var rest]:
                return GradientSuite.Run(rest);
            case ["int8", .. var rest]:
                return QuantizedSuite.Run(rest);
            case ["maps", .. var rest]:
                return ChannelMapSuite.Run(rest);
            case ["models", .. var rest]:
                return ModelsSuite.Run(rest);
            case ["networks", .. var rest]:
                return NetworkSuite.Run(rest);
            case ["pointwise", .. var rest]:
                return PointwiseSuite.Run(rest);
            case ["separating", .. var rest]:
                return SeparationSuite.Run(rest);
            case ["training", .. var rest]:
                return TrainingSuite.Run(rest);
            case ["standard", .. var rest]:
                return StandardSuite.Run(rest);
            case ["transposed", .. var rest]:
                return TransposedSuite.Run(rest);
            default:
                Console.Error.WriteLine(
                    "usage: SeparableConv.Bench SUITE [options]; suites: depthwise, elementwise, filters, fused, gradients, int8, maps, "
                    + "models, networks, pointwise, separating, standard, training, transposed.");
                return 2;
        }
    }
}
