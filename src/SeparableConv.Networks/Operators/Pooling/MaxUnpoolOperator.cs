namespace SeparableConv.Networks.Operators;

/// <summary>
/// What a maximum pooling took, put back: x and int64 positions of its shape -> a tensor of another shape with zeros everywhere but
/// y[position i] = x[i], where positions count the elements of <paramref name="numbered"/>, which is no longer than the output in any
/// dimension.
/// </summary>
/// <remarks>Of several numbers for one position the last stays. They are put on one thread.</remarks>
/// <param name="numbered">The shape that positions count.</param>
/// <param name="output">The output's shape.</param>
internal sealed unsafe class MaxUnpoolOperator(TensorShape numbered, TensorShape output) : Operator
{
    public override string Kind => "MaxUnpooling";

    /// <summary>The shape that positions count.</summary>
    public TensorShape Numbered => numbered;

    /// <summary>The output's shape.</summary>
    public TensorShape Output => output;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (x, positions) = (OperatorChecks.Required(inputs, 0, "input"), OperatorChecks.Required(inputs, 1, "positions"));
        OperatorChecks.Takes(positions.Element == ElementType.Int64, positions, "int64");
        OperatorChecks.SameShape(x, positions);
        TensorShapes.CheckRank(output);
        var fits = numbered.Rank == output.Rank;
        for (var d = 0; fits && d < output.Rank; d++)
            fits = numbered[d] <= output[d];
        return fits
            ? [ShapeRules.Moved(x, output)]
            : throw new ArgumentException($"The output is {output}; expected no dimension shorter than in {numbered}.");
    }

    internal override void Forward(ForwardContext context)
    {
        context.Outputs[0].Bytes().Clear();
        var work = new Work { Context = context, Operator = this };
        ElementDispatch.Bits(context.Outputs[0].Type.Element.Size(), ref work);
    }

    // Where an element of the numbered shape lies in the output.
    private nint Place(long position)
    {
        if (position < 0 || position >= numbered.ElementCount)
            throw new NetworkException($"MaxUnpool was given position {position} for {numbered.ElementCount} elements of {numbered}.");
        if (numbered == output)
            return (nint)position;
        nint place = 0, stride = 1;
        for (var d = output.Rank - 1; d >= 0; d--)
        {
            (position, var index) = Math.DivRem(position, numbered[d]);
            place += (nint)index * stride;
            stride *= output[d];
        }

        return place;
    }

    private struct Work : IBitsWork
    {
        public ForwardContext Context;
        public MaxUnpoolOperator Operator;

        public readonly void Run<T>()
            where T : unmanaged
        {
            var x = (T*)Context.Inputs[0].Memory;
            var y = (T*)Context.Outputs[0].Memory;
            var positions = Context.Inputs[1].Pointer<long>();
            for (nint i = 0; i < (nint)Context.Inputs[1].Shape.ElementCount; i++)
                y[Operator.Place(positions[i])] = x[i];
        }
    }
}
