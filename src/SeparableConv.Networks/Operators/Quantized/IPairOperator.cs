namespace SeparableConv.Networks.Operators;

/// <summary>
/// An operator on two tensors of bytes that a block can do on its own output while that is in the cache: see
/// <see cref="QuantizedBlockOperator"/>.
/// </summary>
internal interface IPairOperator
{
    /// <summary>The innermost loop for two tensors of one shape; it may write where it reads.</summary>
    IByteRun PairRun(TensorType a, TensorType b, TensorType output);
}
