using SeparableConv.Cli.Output;
using SeparableConv.Imaging;
using SeparableConv.Networks;

namespace SeparableConv.Cli.Commands;

/// <summary>Tensors from .npy files for a network's inputs, and its outputs as such: in the network's own type and layout.</summary>
internal static class TensorInput
{
    /// <summary>Copies a tensor to where the network reads it.</summary>
    /// <exception cref="InputException">Its type or shape is not the input's; a leading length of 1 may be left out.</exception>
    public static void Write(NpyArray array, string source, Value input, Span<byte> memory)
    {
        var isType = array.Type == input.Type.Element;
        var isShape = WithoutBatch(array.Shape).SequenceEqual(WithoutBatch(input.Type.Shape.Lengths));
        if (!isType || !isShape)
        {
            var remedy = (isType, isShape) switch
            {
                (false, true) => "convert it with numpy's astype.",
                (true, false) => "reshape it, or load the model with --shape where that is open.",
                _ => "is it for another input or network?",
            };
            throw new InputException($"{source}: {Describe(array)}, but the input '{input.Name}' takes {input.Type}; {remedy}");
        }

        array.Data.CopyTo(memory);
    }

    /// <summary>A tensor as an array.</summary>
    public static NpyArray ToArray(TensorType type, ReadOnlySpan<byte> memory) => NpyArray.FromBytes(type.Element, memory, type.Shape.Lengths);

    private static string Describe(NpyArray array) => $"{PlanNames.Of(array.Type)} {new TensorShape(array.Shape)}";

    private static ReadOnlySpan<int> WithoutBatch(ReadOnlySpan<int> lengths)
    {
        while (lengths is [1, ..])
            lengths = lengths[1..];
        return lengths;
    }
}
