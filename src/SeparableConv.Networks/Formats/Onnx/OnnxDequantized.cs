using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>A constant as a DequantizeLinear has it: scale*(q - zeroPoint).</summary>
/// <param name="Numbers">q, as ONNX lays it out.</param>
/// <param name="Scale">One, or one for each index along the axis.</param>
/// <param name="ZeroPoint">As many, or null for 0.</param>
/// <param name="Axis">The dimension of q that the scales run along, where they are several.</param>
internal sealed record OnnxDequantized(Value Numbers, Value Scale, Value? ZeroPoint, int Axis)
{
    public bool IsPerTensor => Scale.Shape.ElementCount == 1;

    /// <summary>Whether the elements are bytes, with one scale or one for each index along a dimension.</summary>
    public bool IsBytesAlong(int axis) => Numbers.Type.Element.IsByte() && (IsPerTensor || Axis == axis);

    /// <summary>The inputs of a <see cref="DequantizeOperator"/> of the same numbers, moved to another place.</summary>
    public Value[] Inputs(Value numbers) => ZeroPoint is null ? [numbers, Scale] : [numbers, Scale, ZeroPoint];
}
