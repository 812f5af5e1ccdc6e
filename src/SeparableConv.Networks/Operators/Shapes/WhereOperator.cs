using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>y = condition ? a : b, element by element; condition (bool), a and b broadcast to one shape.</summary>
internal sealed unsafe class WhereOperator : ShapeOperator
{
    public override string Kind => "Where";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var condition = OperatorChecks.Required(inputs, 0, "condition");
        var a = OperatorChecks.Required(inputs, 1, "first choice");
        var b = OperatorChecks.Required(inputs, 2, "second choice");
        if (condition.Element != ElementType.Bool)
            throw new ArgumentException($"The condition is {condition}; expected bool.");
        if (a.Element != b.Element)
            throw new ArgumentException($"The choices are {a} and {b}; expected one element type.");
        return [ShapeRules.Moved(a, Output(condition.Shape, a.Shape, b.Shape))];
    }

    /// <summary>The chosen one has the gradient; where a choice was broadcast, the sum.</summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        if (context.Output(0) is not { } dy || !dy.Type.Element.IsFloat())
            return null;
        var gradients = context.Nothing();
        for (var i = 1; i <= 2; i++)
        {
            if (context.Wants(i))
            {
                var chosen = context.Add("choice", new MaskOperator(kept: i == 1), dy, context.Input(0));
                gradients[i] = context.SumTo(chosen, context.Input(i).Shape);
            }
        }

        return gradients;
    }

    private protected override Step Plan(TensorType[] inputs) =>
        new WhereStep(Output(inputs[0].Shape, inputs[1].Shape, inputs[2].Shape), inputs);

    private static TensorShape Output(TensorShape condition, TensorShape a, TensorShape b) =>
        TensorShapes.Broadcast(condition, TensorShapes.Broadcast(a, b));
}

/// <summary>
/// Chooses row by row. A row is the output's last dimension; an input's stride along it is 1, or 0 where it is broadcast.
/// </summary>
internal sealed unsafe class WhereStep : Step
{
    private readonly int[] _outer;
    private readonly int _row;
    private readonly long _rows;
    private readonly int _elementSize;
    private readonly long[] _condition;
    private readonly long[] _a;
    private readonly long[] _b;

    public WhereStep(TensorShape output, TensorType[] inputs)
    {
        // A scalar is a row of one.
        if (output.Rank == 0)
            output = new TensorShape(1);
        _outer = output.Lengths[..^1].ToArray();
        _row = output[^1];
        _rows = output.ElementCount == 0 ? 0 : ShapeRules.Product(_outer);
        _elementSize = inputs[1].Element.Size();
        _condition = ShapeRules.BroadcastStrides(inputs[0].Shape, output);
        _a = ShapeRules.BroadcastStrides(inputs[1].Shape, output);
        _b = ShapeRules.BroadcastStrides(inputs[2].Shape, output);
    }

    public override void Run(ForwardContext context)
    {
        var work = new RowsWork { Step = this, Context = context };
        ElementDispatch.Bits(_elementSize, ref work);
    }

    private void Run<T>(ForwardContext context)
        where T : unmanaged
    {
        var y = (T*)context.Outputs[0].Memory;
        for (long row = 0; row < _rows; row++, y += _row)
        {
            var condition = (byte*)context.Inputs[0].Memory;
            var a = (T*)context.Inputs[1].Memory;
            var b = (T*)context.Inputs[2].Memory;
            var rest = row;
            for (var d = _outer.Length - 1; d >= 0; d--)
            {
                (rest, var index) = Math.DivRem(rest, _outer[d]);
                condition += index * _condition[d];
                a += index * _a[d];
                b += index * _b[d];
            }

            var (stepCondition, stepA, stepB) = (_condition[^1], _a[^1], _b[^1]);
            for (long i = 0; i < _row; i++)
                y[i] = condition[i * stepCondition] != 0 ? a[i * stepA] : b[i * stepB];
        }
    }

    private struct RowsWork : IBitsWork
    {
        public WhereStep Step;
        public ForwardContext Context;

        public readonly void Run<T>()
            where T : unmanaged => Step.Run<T>(Context);
    }
}
