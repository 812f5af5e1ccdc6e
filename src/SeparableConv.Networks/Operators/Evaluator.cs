using System.Runtime.InteropServices;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Runs operators one at a time in managed memory, with nothing prepared or planned: how constants are folded, and the plain way of running
/// a whole network that a compiled one is compared with.
/// </summary>
internal static unsafe class Evaluator
{
    /// <summary>Computes the outputs of an operator.</summary>
    /// <exception cref="ArgumentException">The inputs do not fit the operator.</exception>
    public static TensorData[] Run(Operator op, params ReadOnlySpan<TensorData?> inputs) => Run(op, 1, inputs);

    /// <summary>Computes the outputs of an operator on several threads.</summary>
    /// <exception cref="ArgumentException">The inputs do not fit the operator.</exception>
    public static TensorData[] Run(Operator op, int threads, params ReadOnlySpan<TensorData?> inputs)
    {
        var types = new TensorType?[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            types[i] = inputs[i]?.Type;
        var results = Array.ConvertAll(op.Infer(types), TensorData.CreateZeros);

        var handles = new List<GCHandle>();
        try
        {
            var inputBuffers = new TensorBuffer[inputs.Length];
            for (var i = 0; i < inputs.Length; i++)
                inputBuffers[i] = inputs[i] is { } data ? Pin(data, handles) : default;
            var outputBuffers = Array.ConvertAll(results, result => Pin(result, handles));
            var context = new ForwardContext(inputBuffers, outputBuffers, threads);
            op.Forward(context);
            return context.Results ?? results;
        }
        finally
        {
            foreach (var handle in handles)
                handle.Free();
        }
    }

    /// <summary>Runs a network node by node.</summary>
    /// <param name="network">The network.</param>
    /// <param name="inputs">As many tensors as it has inputs, of their types.</param>
    /// <returns>Every value that was given or computed. Ask <see cref="Of"/> for one that may also be stored.</returns>
    /// <exception cref="ArgumentException">An input has another type.</exception>
    /// <exception cref="NetworkException">A node cannot be computed; the message names it.</exception>
    public static Dictionary<Value, TensorData> Run(Network network, params ReadOnlySpan<TensorData> inputs)
    {
        if (inputs.Length != network.Inputs.Count)
            throw new ArgumentException($"The network has {network.Inputs.Count} inputs; {inputs.Length} tensors were given.");
        var values = new Dictionary<Value, TensorData>();
        for (var i = 0; i < inputs.Length; i++)
        {
            var (wanted, given) = (network.Inputs[i].Type, inputs[i].Type);
            if (given.Element != wanted.Element || given.Shape != wanted.Shape)
                throw new ArgumentException($"Input '{network.Inputs[i].Name}' is {wanted}; a tensor of {given} was given.");
            values[network.Inputs[i]] = inputs[i];
        }

        foreach (var state in network.States)
            values[state.Current] = state.Initial;

        foreach (var node in network.Nodes)
        {
            TensorData[] results;
            try
            {
                results = Run(node.Operator, [.. node.Inputs.Select(input => input is null ? null : Of(values, input))]);
            }
            catch (Exception e) when (e is ArgumentException or OverflowException)
            {
                throw new NetworkException($"In node '{node.Name}' ({node.Operator.Kind}): {e.Message}", e);
            }

            for (var i = 0; i < results.Length; i++)
                values[node.Outputs[i]] = results[i];
        }

        return values;
    }

    /// <summary>The numbers of a value: those it is stored with, or those of a run.</summary>
    public static TensorData Of(IReadOnlyDictionary<Value, TensorData> run, Value value) => value.Data ?? run[value];

    private static TensorBuffer Pin(TensorData data, List<GCHandle> handles)
    {
        var handle = GCHandle.Alloc(data.Values, GCHandleType.Pinned);
        handles.Add(handle);
        return new TensorBuffer(data.Type, (void*)handle.AddrOfPinnedObject());
    }
}
