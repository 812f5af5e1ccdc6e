using SeparableConv.Loops;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Inference;

/// <summary>A fused block with its weights packed, for one size of input.</summary>
internal sealed unsafe class FusedExpansionStep(FusedExpansionLoop loop, ConvGeometry geometry, int inChannels, int outChannels, int threads) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        loop.Run(context.Inputs[0].Pointer<float>(), context.Outputs[0].Pointer<float>(), geometry, inChannels, outChannels, threads);
}
