using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// A matrix product with a stored right side: x (rows, I) times (I, O), a bias and an activation. Constants are packed once. Parameters,
/// which a training changes, are packed anew in every run, in the same place.
/// </summary>
internal sealed unsafe class PackedProductStep : Step
{
    private readonly PointwiseLoop _loop;
    private readonly Activation? _after;
    private readonly int _inputs;
    private readonly int _outputs;
    private readonly bool _refills;
    private readonly bool _transposes;

    /// <summary>A product whose right side, bias and activation do not change.</summary>
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
        (_inputs, _outputs) = (inputs, outputs);
    }

    private PackedProductStep(int inputs, int outputs, bool transposed, Activation activation)
        : this(new float[checked(inputs * outputs)], inputs, outputs, default, activation)
    {
        (_refills, _transposes) = (true, transposed);
    }

    public override long ScratchBytes => _transposes ? (long)_inputs * _outputs * sizeof(float) : 0;

    /// <summary>A product that reads its right side, and its bias (O) where there is one, in every run.</summary>
    /// <param name="inputs">I, 1 or more.</param>
    /// <param name="outputs">O, 1 or more.</param>
    /// <param name="transposed">Whether the right side is stored as (O, I).</param>
    /// <param name="activation">Applied to the sums.</param>
    public static PackedProductStep OfParameters(int inputs, int outputs, bool transposed, Activation activation) =>
        new(inputs, outputs, transposed, activation);

    public override bool Reads(int input) => input == 0 || _refills;

    public override void Run(ForwardContext context)
    {
        var (x, y) = (context.Inputs[0], context.Outputs[0]);
        var rows = (nint)x.Shape.ElementCount / _inputs;
        if (rows == 0)
            return;
        if (_refills)
            Refill(context);
        _loop.Run(x.Pointer<float>(), y.Pointer<float>(), rows, context.Threads);
        if (_after is not null)
            ActivationWork.Run(_after, y, y, context.Threads);
    }

    private void Refill(ForwardContext context)
    {
        var weights = context.Inputs[1].Pointer<float>();
        if (_transposes)
        {
            TransposeLoop.Run(weights, _inputs, (float*)context.Scratch, _outputs, _inputs, _outputs);
            weights = (float*)context.Scratch;
        }

        var bias = context.Optional(2).Span<float>();
        _loop.Refill(new ReadOnlySpan<float>(weights, _inputs * _outputs), bias, context.Threads);
    }
}
