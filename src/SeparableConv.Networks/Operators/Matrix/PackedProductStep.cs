using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>A matrix product x (rows, I) times weights (I, O) that are packed once, with bias and activation.</summary>
internal sealed unsafe class PackedProductStep : Step
{
    private readonly PointwiseLoop _loop;
    private readonly Activation? _after;
    private readonly int _inputs;

    /// <param name="weights">(I, O).</param>
    /// <param name="inputs">I, 1 or more.</param>
    /// <param name="outputs">O, 1 or more.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="activation">Applied to the sums.</param>
    public PackedProductStep(ReadOnlySpan<float> weights, int inputs, int outputs, ReadOnlySpan<float> bias, Activation activation)
    {
        // What looks across the columns would keep the product from being cut by columns: it comes afterwards.
        _after = activation.NeedsAllChannels ? activation : null;
        _loop = new PointwiseLoop(weights, inputs, outputs, bias, _after is null ? activation : Activation.None, SimdWidths.Best);
        _inputs = inputs;
    }

    public override bool Reads(int input) => input == 0;

    public override void Run(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var rows = (nint)x.Shape.ElementCount / _inputs;
        if (rows == 0)
            return;
        _loop.Run(x.Pointer<float>(), y.Pointer<float>(), rows, context.Threads);
        if (_after is not null)
            ActivationWork.Run(_after, y, y, context.Threads);
    }
}
