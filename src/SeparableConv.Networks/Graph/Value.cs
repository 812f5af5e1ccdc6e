using System.Numerics.Tensors;
using SeparableConv.Networks.Graph;

namespace SeparableConv.Networks;

/// <summary>A named tensor of a network: an input, a constant, or what a node computes.</summary>
public sealed class Value
{
    internal Value(string name, TensorType type, TensorData? constant = null)
    {
        Name = name;
        Type = type;
        Constant = constant;
    }

    /// <summary>Its name, unique in the network.</summary>
    public string Name { get; internal set; }

    /// <summary>Element type, shape and quantization.</summary>
    public TensorType Type { get; }

    /// <summary>The node that computes it; null for an input or a constant.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Whether its numbers are part of the network: weights and the like.</summary>
    public bool IsConstant => Constant is not null;

    internal TensorData? Constant { get; }

    /// <summary>Whether its numbers are part of the network, be it as the bytes that they are dequantized from.</summary>
    internal bool IsParameter => IsConstant || Operators.DequantizedConstant.Is(this);

    internal TensorShape Shape => Type.Shape;

    /// <summary>A constant's numbers.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <returns>The numbers, in the value's shape.</returns>
    /// <exception cref="InvalidOperationException">The value is no constant, or its elements are of another type.</exception>
    public ReadOnlyTensorSpan<T> Read<T>()
        where T : unmanaged
    {
        if (Constant?.Values is not T[] values)
            throw new InvalidOperationException($"'{Name}' is {(IsConstant ? "a constant" : "no constant")} of {Type}; constants of {ElementTypes.Of<T>()} can be read so.");
        return new ReadOnlyTensorSpan<T>(values, Array.ConvertAll(Shape.Lengths.ToArray(), length => (nint)length));
    }

    /// <summary>Name and type.</summary>
    /// <returns>For example <c>image: float32 (1,224,224,3)</c>.</returns>
    public override string ToString() => $"{Name}: {Type}";
}
