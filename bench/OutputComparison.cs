using System.Globalization;
using System.Runtime.InteropServices;
using SeparableConv.Networks;

namespace SeparableConv.Bench;

/// <summary>What both sides compute from the same inputs, compared before anything is timed.</summary>
internal static class OutputComparison
{
    // More than any rounding explains, and far less than a wrong layer makes.
    private const int MostSteps = 3;

    /// <summary>
    /// Runs both on the same inputs and compares all outputs. What differs is told as a share of the output's largest number.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// An output differs by more than <paramref name="tolerance"/>, or has another shape.
    /// </exception>
    public static double Check(
        string name, InferenceSession session, OrtModel peer, IReadOnlyDictionary<string, TensorData> inputs, double tolerance)
    {
        foreach (var (input, data) in inputs)
            peer.SetInput(input, data);
        for (var i = 0; i < session.Inputs.Count; i++)
            inputs[session.Inputs[i].Name].Bytes.CopyTo(session.InputBytes(i));
        session.Reset();
        session.Run();
        peer.Run();
        var most = 0.0;
        for (var o = 0; o < session.Outputs.Count; o++)
        {
            var theirs = peer.Output(peer.OutputNames.ToList().IndexOf(session.Outputs[o].Name) is >= 0 and var index ? index : o);
            var ours = session.OutputType(o);
            if (ours.Shape != theirs.Type.Shape)
                throw new InvalidOperationException(
                    $"{name}: output {o} is {ours} where ONNX Runtime's is {theirs.Type}.");
            most = Math.Max(most, Difference(Numbers(ours, session.OutputBytes(o)), Numbers(theirs.Type, theirs.Bytes)));
        }

        return most <= tolerance ? most : throw new InvalidOperationException(string.Create(
            CultureInfo.InvariantCulture, $"{name}: an output differs from ONNX Runtime's by {most:G2} of its largest number."));
    }

    /// <summary>
    /// The same for a quantized network, whose second output is whole steps; what follows from them, the first, is a function of theirs.
    /// </summary>
    /// <exception cref="InvalidOperationException">The outputs differ by more steps than rounding explains.</exception>
    public static void CheckSteps(string name, InferenceSession session, OrtModel peer, float step)
    {
        var input = BenchData.Floats((int)session.Inputs[0].Type.Shape.ElementCount, 1);
        MemoryMarshal.AsBytes(input.AsSpan()).CopyTo(session.InputBytes(0));
        session.Run();
        var ours = MemoryMarshal.Cast<byte, float>(session.OutputBytes(1));
        var theirs = peer.Run(input, 1);
        var (different, most) = (0, 0f);
        for (var i = 0; i < theirs.Length; i++)
        {
            var steps = MathF.Round(Math.Abs(ours[i] - theirs[i]) / step);
            (different, most) = (different + (steps > 0 ? 1 : 0), Math.Max(most, steps));
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {different} of {theirs.Length} outputs differ from ONNX Runtime's, by {most} steps at most; "
            + $"{theirs.Distinct().Count()} different values"));
        if (ours.Length != theirs.Length || !(most <= MostSteps))
            throw new InvalidOperationException(
                $"{name}: {most} steps are more than {MostSteps}; the network is not the same on both sides.");
    }

    // NaN is the same as NaN; beside a number it is beyond any tolerance.
    private static double Difference(double[] ours, double[] theirs)
    {
        var (largest, most) = (0.0, 0.0);
        for (var i = 0; i < ours.Length; i++)
        {
            if (ours[i].Equals(theirs[i]))
                continue;
            var difference = Math.Abs(ours[i] - theirs[i]);
            most = double.IsFinite(difference) ? Math.Max(most, difference) : double.PositiveInfinity;
        }

        foreach (var number in theirs.Where(double.IsFinite))
            largest = Math.Max(largest, Math.Abs(number));
        return most == 0 ? 0 : most / largest;
    }

    private static double[] Numbers(TensorType type, ReadOnlySpan<byte> bytes)
    {
        var numbers = new double[type.Shape.ElementCount];
        (type with { Quantization = null }).ReadNumbers(bytes, numbers);
        return numbers;
    }
}
