using System.Numerics.Tensors;

namespace SeparableConv;

/// <summary>The checks that public methods make of the tensors that they are given.</summary>
internal static unsafe class TensorDoor
{
    /// <summary>For example <c>(1, 56, 56, 24)</c>.</summary>
    public static string Shape(ReadOnlySpan<nint> lengths) => "(" + string.Join(", ", lengths.ToArray()) + ")";

    public static int Dimension(ReadOnlySpan<nint> lengths, int index, string name) => lengths[index] is > 0 and <= int.MaxValue
        ? (int)lengths[index]
        : throw new ArgumentException($"The input {Shape(lengths)} has {name} {lengths[index]}; it must be from 1 to {int.MaxValue}.");

    public static void CheckDense(bool isDense, string name)
    {
        if (!isDense)
            throw new ArgumentException($"The {name} is a strided view; copy it into a dense tensor first.");
    }

    public static void CheckShape(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> expected, string name)
    {
        if (!lengths.SequenceEqual(expected))
            throw new ArgumentException($"The {name} has shape {Shape(lengths)}; expected {Shape(expected)}.");
    }

    public static void CheckApart(void* input, nint inputLength, void* output, nint outputLength)
    {
        var (x, y) = ((nuint)input, (nuint)output);
        if (x < y + ((nuint)outputLength * sizeof(float)) && y < x + ((nuint)inputLength * sizeof(float)))
            throw new ArgumentException("Input and output overlap; give the output memory of its own.");
    }

    /// <summary>The weights as a span; checks their rank.</summary>
    /// <param name="weights">A dense tensor.</param>
    /// <param name="layout">The dimensions in words: as many as the rank must be.</param>
    /// <param name="what">Whose weights they are.</param>
    public static ReadOnlySpan<float> Weights(in ReadOnlyTensorSpan<float> weights, string layout, string what)
    {
        if (weights.Rank != layout.Count(c => c == ',') + 1)
            throw new ArgumentException($"{what} weights have shape {Shape(weights.Lengths)}; expected {layout}.");
        CheckDense(weights.IsDense, what + " weights tensor");
        foreach (var length in weights.Lengths)
        {
            if (length <= 0)
                throw new ArgumentException(
                    $"{what} weights have shape {Shape(weights.Lengths)}; every dimension of {layout} must be at least 1.");
        }

        if (weights.FlattenedLength > int.MaxValue)
            throw new ArgumentException($"{what} weights have {weights.FlattenedLength} numbers; at most {int.MaxValue} are supported.");
        return System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(
            ref System.Runtime.CompilerServices.Unsafe.AsRef(in weights.GetPinnableReference()), (int)weights.FlattenedLength);
    }

    public static void CheckBias(ReadOnlySpan<float> bias, int outChannels)
    {
        if (!bias.IsEmpty && bias.Length != outChannels)
            throw new ArgumentException(
                $"The bias has {bias.Length} numbers but the convolution has {outChannels} output channels; give one a channel, or none.");
    }
}
