namespace SeparableConv.Networks.Operators;

/// <summary>A convolution with its weights packed, for one size of input.</summary>
internal sealed unsafe class ConvStep(Convolution convolution, ConvGeometry geometry) : Step
{
    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context) =>
        convolution.RunLoop(context.Inputs[0].Pointer<float>(), context.Outputs[0].Pointer<float>(), geometry, context.Threads);
}
