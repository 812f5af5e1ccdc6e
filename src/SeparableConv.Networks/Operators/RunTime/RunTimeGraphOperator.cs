namespace SeparableConv.Networks.Operators;

/// <summary>
/// A part of a network in which the numbers decide on shapes, such as what is behind a non-maximum suppression. Nothing of it can be
/// planned: it is computed node by node in every run, in memory made anew.
/// </summary>
/// <param name="graph">The part.</param>
/// <param name="outputs">The element types of its outputs.</param>
internal sealed unsafe class RunTimeGraphOperator(IRunTimeGraph graph, ElementType[] outputs) : Operator
{
    public override string Kind => "RunTimeGraph";

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs) => Array.ConvertAll(outputs, TensorType.Open);

    internal override void Forward(ForwardContext context)
    {
        var inputs = new TensorData[context.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            inputs[i] = TensorData.CreateZeros(new(context.Inputs[i].Type.Element, context.Inputs[i].Shape));
            context.Inputs[i].Bytes().CopyTo(inputs[i].Bytes);
        }

        var results = graph.Run(inputs, context.Threads);
        for (var i = 0; i < outputs.Length; i++)
        {
            if (results[i].Type.Element != outputs[i])
            {
                throw new NetworkException(
                    $"An output is said to be {outputs[i].ToString().ToLowerInvariant()}, but the result is {results[i].Type}.");
            }
        }

        context.Results = results;
    }
}

/// <summary>A part of a network that is computed node by node.</summary>
internal interface IRunTimeGraph
{
    /// <summary>Computes the outputs, the same on any number of threads.</summary>
    /// <exception cref="NetworkException">A node cannot be computed from these numbers; the message names it.</exception>
    TensorData[] Run(TensorData[] inputs, int threads);
}
