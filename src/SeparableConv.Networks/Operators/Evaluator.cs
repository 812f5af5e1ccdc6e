using System.Runtime.InteropServices;
using SeparableConv.Networks.Graph;

namespace SeparableConv.Networks.Operators;

/// <summary>Runs one operator once on constants. Constant folding uses it.</summary>
internal static unsafe class Evaluator
{
    /// <summary>Computes the outputs of an operator.</summary>
    /// <exception cref="ArgumentException">The inputs do not fit the operator.</exception>
    public static TensorData[] Run(Operator op, params ReadOnlySpan<TensorData?> inputs)
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
            op.Forward(new ForwardContext(inputBuffers, outputBuffers, threads: 1));
        }
        finally
        {
            foreach (var handle in handles)
                handle.Free();
        }

        return results;
    }

    private static TensorBuffer Pin(TensorData data, List<GCHandle> handles)
    {
        var handle = GCHandle.Alloc(data.Values, GCHandleType.Pinned);
        handles.Add(handle);
        return new TensorBuffer(data.Type, (void*)handle.AddrOfPinnedObject());
    }
}
