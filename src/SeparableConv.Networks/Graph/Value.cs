using System.Numerics.Tensors;

namespace SeparableConv.Networks;

/// <summary>What a value of a network is.</summary>
public enum ValueKind
{
    /// <summary>Given anew for every run.</summary>
    Input,

    /// <summary>Computed by a node.</summary>
    Computed,

    /// <summary>Stored with the network, and never changed: a shape, a literal.</summary>
    Constant,

    /// <summary>Stored with the network, and changed by a training: weights, biases, scales, slopes.</summary>
    Parameter,

    /// <summary>Stored with the network, and tracked by a training: the means and variances of batch normalization.</summary>
    Statistic,
}

/// <summary>A named tensor of a network: given, stored, or computed by a node.</summary>
public sealed class Value
{
    private ValueKind _stored = ValueKind.Constant;

    internal Value(string name, TensorType type, TensorData? data = null)
    {
        Name = name;
        Type = type;
        Data = data;
    }

    /// <summary>Its name, unique in the network. A parameter has the name that it has in its file.</summary>
    public string Name { get; internal set; }

    /// <summary>Element type, shape and quantization.</summary>
    public TensorType Type { get; }

    /// <summary>The node that computes it; null for what is given or stored.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>Whether it is given, computed, or stored, and as what.</summary>
    public ValueKind Kind => Data is not null ? _stored : Producer is null ? ValueKind.Input : ValueKind.Computed;

    /// <summary>Whether its numbers are part of the network and never change.</summary>
    public bool IsConstant => Kind == ValueKind.Constant;

    /// <summary>Whether its numbers are part of the network, and a training changes or tracks them.</summary>
    public bool IsParameter => Kind is ValueKind.Parameter or ValueKind.Statistic;

    /// <summary>Whether its numbers are part of the network, as a constant, a parameter or a statistic.</summary>
    public bool IsStored => Data is not null;

    /// <summary>The numbers of what is stored; null for what is given or computed.</summary>
    internal TensorData? Data { get; }

    /// <summary>The numbers of a constant, which may be relied on when the network is compiled; null for everything else.</summary>
    internal TensorData? Constant => _stored == ValueKind.Constant ? Data : null;

    /// <summary>
    /// The stored tensor of the file whose numbers these are in another order, shape or type; null where they are as
    /// they were stored. A parameter gets this name when its network is built, and a writer turns the numbers back.
    /// </summary>
    internal StoredForm? Origin { get; init; }

    internal TensorShape Shape => Type.Shape;

    /// <summary>The numbers of a constant, a parameter or a statistic.</summary>
    /// <typeparam name="T">The .NET type of its elements.</typeparam>
    /// <returns>The numbers, in the value's shape.</returns>
    /// <exception cref="InvalidOperationException">The value is given or computed, or its elements are of another type.</exception>
    public ReadOnlyTensorSpan<T> Read<T>()
        where T : unmanaged
    {
        if (Data is null)
            throw new InvalidOperationException(
                $"'{this}' is {(Producer is null ? "given for every run" : "computed by a node")}; "
                + "constants and parameters can be read so.");
        if (ElementTypes.Of<T>() != Type.Element)
            throw new InvalidOperationException($"'{this}' was asked for elements of {ElementTypes.Of<T>()}; ask for those it has.");
        return Data.Read<T>();
    }

    /// <summary>Name and type.</summary>
    /// <returns>For example <c>image: float32 (1,224,224,3)</c>.</returns>
    public override string ToString() => $"{Name}: {Type}";

    /// <summary>Says what a stored tensor is: see <see cref="ParameterRule"/>.</summary>
    internal void MarkAs(ValueKind kind) => _stored = kind;
}
