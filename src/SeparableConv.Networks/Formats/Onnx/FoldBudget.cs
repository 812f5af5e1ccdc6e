namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// Limits what is computed while a model is loaded. Exporters leave shape arithmetic and rearranged weights to be computed then, which
/// takes about as much memory as the model. A file of a hundred bytes that becomes gigabytes, or takes hours, is an attack.
/// </summary>
/// <param name="fileBytes">The model's size, external data included.</param>
internal sealed class FoldBudget(Func<long> fileBytes)
{
    /// <summary>Folded bytes that any model may have.</summary>
    public const long FreeBytes = 64 << 20;

    /// <summary>Folded bytes for each byte of the model.</summary>
    public const int BytesPerByte = 8;

    /// <summary>Multiply-accumulates that folding may take.</summary>
    public const long MaxMacs = 1L << 32;

    private long _bytes;
    private long _macs;

    /// <summary>Bytes that may be folded in all.</summary>
    public long MaxBytes => FreeBytes + (BytesPerByte * fileBytes());

    /// <summary>Bytes that may still be folded.</summary>
    public long RemainingBytes => MaxBytes - _bytes;

    /// <summary>Takes the cost of one operator from the budget.</summary>
    /// <exception cref="ArgumentException">The budget is spent.</exception>
    public void Spend(Operator op, ReadOnlySpan<Value?> inputs, TensorType[] outputs)
    {
        foreach (var output in outputs)
            Spend(output.Bytes);
        var node = new Node("", op, inputs.ToArray(), Array.ConvertAll(outputs, type => new Value("", type)));
        _macs = checked(_macs + op.Cost(node).Macs);
        if (_macs > MaxMacs)
        {
            throw new ArgumentException(
                $"Computing the model's constants takes more than {MaxMacs} multiply-accumulates; simplify the model before it is loaded.");
        }
    }

    /// <summary>Takes bytes from the budget.</summary>
    /// <exception cref="ArgumentException">The budget is spent.</exception>
    public void Spend(long bytes)
    {
        _bytes = checked(_bytes + bytes);
        if (_bytes > MaxBytes)
        {
            throw new ArgumentException(
                $"The constants computed from the model's own take more than {MaxBytes} bytes, "
                + $"{FreeBytes >> 20} MiB and {BytesPerByte} times the file; simplify the model before it is loaded.");
        }
    }
}
