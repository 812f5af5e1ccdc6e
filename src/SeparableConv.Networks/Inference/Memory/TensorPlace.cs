using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Inference;

/// <summary>Where a tensor lies, before there is any memory.</summary>
/// <param name="Type">The tensor's type; null for none.</param>
/// <param name="IsConstant">Whether it lies with the constants, else in the arena.</param>
/// <param name="Offset">Bytes from the begin of either.</param>
internal readonly record struct TensorPlace(TensorType? Type, bool IsConstant, long Offset)
{
    public unsafe TensorBuffer In(byte* arena, byte* constants) =>
        Type is null ? default : new(Type, (IsConstant ? constants : arena) + Offset);
}
