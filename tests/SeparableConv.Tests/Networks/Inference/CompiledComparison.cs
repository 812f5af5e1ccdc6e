using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Inference;

/// <summary>Checks that a compiled network gives what its nodes give one by one, whatever lay in its memory before.</summary>
internal static class CompiledComparison
{
    /// <summary>Fails where an output is off by more than rounding explains, or where memory was read before it was written.</summary>
    /// <returns>The kinds of the steps that ran.</returns>
    public static string[] Check(Network network, double tolerance = 1e-5, int threads = 1)
    {
        var (inputs, expected) = NodeByNode.Run(network);
        using var session = new InferenceSession(network, new() { Threads = threads });
        Assert.InRange(session.Compiled.ActivationBytes, session.Compiled.ActivationBytesBound, long.MaxValue);
        foreach (byte poison in new byte[] { 0xFF, 0x7F, 0 })
        {
            for (var i = 0; i < inputs.Length; i++)
                inputs[i].Bytes.CopyTo(session.InputBytes(i));
            session.Poison(poison);
            session.Run();
            for (var i = 0; i < inputs.Length; i++)
                Assert.True(session.InputBytes(i).SequenceEqual(inputs[i].Bytes), $"input {i} was written over");
            for (var i = 0; i < expected.Length; i++)
                CheckClose(network.Outputs[i], expected[i], session.OutputBytes(i), tolerance);
        }

        return [.. session.Compiled.Steps.Select(step => step.Kind)];
    }

    private static void CheckClose(Value output, TensorData expected, ReadOnlySpan<byte> actual, double tolerance)
    {
        if (expected.Type.Element != ElementType.Float32)
        {
            Assert.True(actual.SequenceEqual(expected.Bytes), $"{output} differs");
            return;
        }

        var wanted = expected.Span<float>();
        var got = MemoryMarshal.Cast<byte, float>(actual);
        Assert.Equal(wanted.Length, got.Length);
        var largest = 0.0;
        foreach (var number in wanted)
            largest = Math.Max(largest, Math.Abs(number));
        for (var i = 0; i < wanted.Length; i++)
        {
            Assert.True(
                Math.Abs((double)wanted[i] - got[i]) <= tolerance * Math.Max(1, largest),
                $"{output}: element {i} is {got[i]}, node by node {wanted[i]}; the largest is {largest}.");
        }
    }
}
