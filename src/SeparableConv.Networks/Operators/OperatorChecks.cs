namespace SeparableConv.Networks.Operators;

/// <summary>Checks that operators of several families make.</summary>
internal static class OperatorChecks
{
    /// <summary>An input that must be there.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static TensorType Required(ReadOnlySpan<TensorType?> inputs, int index, string what) =>
        index < inputs.Length && inputs[index] is { } type ? type : throw new ArgumentException($"Input {index}, the {what}, is missing.");

    /// <summary>An input of a given element type and rank.</summary>
    /// <exception cref="ArgumentException">It is not there or is another.</exception>
    public static TensorType Required(ReadOnlySpan<TensorType?> inputs, int index, string what, ElementType element, int rank)
    {
        var type = Required(inputs, index, what);
        return type.Element == element && type.Shape.Rank == rank
            ? type
            : throw new ArgumentException(
                $"The {what} is {type}; expected {element.ToString().ToLowerInvariant()} with {rank} dimensions.");
    }

    /// <summary>Checks the bias, where there is one.</summary>
    /// <exception cref="ArgumentException">It is not one number an output channel.</exception>
    public static void Bias(ReadOnlySpan<TensorType?> inputs, int index, int outChannels, ElementType element)
    {
        if (index < inputs.Length && inputs[index] is { } bias
            && (bias.Element != element || bias.Shape.Rank != 1 || bias.Shape[0] != outChannels))
        {
            throw new ArgumentException(
                $"The bias is {bias}; expected {element.ToString().ToLowerInvariant()} ({outChannels}), one number an output channel.");
        }
    }

    /// <summary>Refuses an activation that the output cannot have.</summary>
    /// <exception cref="ArgumentException">The elements are not float32, or the activation is for another number of channels.</exception>
    public static void Activation(Activation activation, ElementType element, int channels)
    {
        if (!activation.IsNone && element != ElementType.Float32)
            throw new ArgumentException($"Activation {activation} is for float32; the tensor is {element.ToString().ToLowerInvariant()}.");
        if (activation.RequiredChannels is > 0 and var slopes && slopes != channels)
        {
            throw new ArgumentException(
                $"PReLU has {slopes} slopes but the tensor has {channels} channels; give one a channel, or one for all.");
        }
    }

    /// <summary>Refuses inputs that are not one float32 number a channel.</summary>
    /// <exception cref="ArgumentException">One is not there or is another.</exception>
    public static void ChannelRows(ReadOnlySpan<TensorType?> inputs, int first, int channels, params ReadOnlySpan<string> names)
    {
        for (var i = 0; i < names.Length; i++)
        {
            var row = Required(inputs, first + i, names[i], ElementType.Float32, 1);
            if (row.Shape[0] != channels)
                throw new ArgumentException($"The {names[i]} has {row.Shape[0]} numbers; expected one for each of {channels} channels.");
        }
    }

    /// <summary>Refuses two inputs of different shapes.</summary>
    /// <exception cref="ArgumentException">They differ.</exception>
    public static void SameShape(TensorType a, TensorType b)
    {
        if (a.Shape != b.Shape)
            throw new ArgumentException($"The inputs are {a} and {b}; both must have one shape.");
    }

    /// <summary>Refuses two inputs of different element types.</summary>
    /// <exception cref="ArgumentException">They differ.</exception>
    public static void SameElement(TensorType a, TensorType b)
    {
        if (a.Element != b.Element)
            throw new ArgumentException($"The inputs are {a} and {b}; both must have the same element type: put a Cast before one.");
    }

    /// <summary>Refuses an element type that an operator does not take.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public static void Takes(bool takes, TensorType type, string what)
    {
        if (!takes)
            throw new ArgumentException($"An input is {type}; expected {what}: put a Cast before it.");
    }

    /// <summary>Checks that what is added to a layer's sums is of their type.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static void Shortcut(ReadOnlySpan<TensorType?> inputs, int index, TensorType sums)
    {
        if (inputs[index] != sums)
            throw new ArgumentException($"The shortcut is {inputs[index]} but the sums are {sums}.");
    }
}
