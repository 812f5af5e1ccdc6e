namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Limits what is computed while a model is loaded, or in a run of its <see cref="OnnxRunTimeGraph"/>. Exporters leave shape arithmetic and
/// rearranged weights to be computed then, and weights that are all alike. A file of a hundred bytes that takes all memory, or hours, is an
/// attack.
/// </summary>
/// <param name="maxBytes">Bytes that may be computed in all.</param>
/// <param name="maxMacs">Multiply-accumulates that this may take.</param>
internal sealed class FoldBudget(long maxBytes, long maxMacs = FoldBudget.MacsOfLoading)
{
    private const long MacsOfLoading = 1L << 32;

    private long _bytes;
    private long _macs;

    /// <summary>Bytes that may still be computed.</summary>
    public long RemainingBytes => maxBytes - _bytes;

    /// <summary>Takes the cost of one operator from the budget.</summary>
    /// <exception cref="ArgumentException">The budget is spent.</exception>
    public void Spend(Operator op, ReadOnlySpan<Value?> inputs, TensorType[] outputs)
    {
        foreach (var output in outputs)
            Spend(output.Bytes);
        var node = new Node("", op, inputs.ToArray(), Array.ConvertAll(outputs, type => new Value("", type)));
        SpendMacs(op.Cost(node).Macs);
    }

    /// <summary>Takes multiply-accumulates from the budget.</summary>
    /// <exception cref="ArgumentException">The budget is spent.</exception>
    public void SpendMacs(long macs)
    {
        _macs = checked(_macs + macs);
        if (_macs > maxMacs)
        {
            throw new ArgumentException(
                $"Computing the model's constants takes more than {maxMacs} multiply-accumulates; simplify the model before it is loaded.");
        }
    }

    /// <summary>Takes bytes from the budget.</summary>
    /// <exception cref="ArgumentException">The budget is spent.</exception>
    public void Spend(long bytes)
    {
        _bytes = checked(_bytes + bytes);
        if (_bytes > maxBytes)
        {
            throw new ArgumentException(
                $"What is computed from known numbers takes more than {maxBytes} bytes; simplify the model before it is loaded, or raise "
                + $"{nameof(OnnxReadOptions)}.{nameof(OnnxReadOptions.MaxConstantBytes)}.");
        }
    }
}
