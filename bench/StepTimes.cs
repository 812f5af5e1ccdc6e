using System.Globalization;
using SeparableConv.Networks;

namespace SeparableConv.Bench;

/// <summary>Where a network's time goes, step by step, and its memory.</summary>
internal static class StepTimes
{
    /// <summary>Prints the median of each step over so many runs, its speed and its share.</summary>
    public static void Print(InferenceSession session, int runs)
    {
        var steps = session.Compiled.Steps;
        var times = new double[runs, steps.Count];
        for (var run = 0; run < runs; run++)
        {
            var profile = session.Profile();
            for (var i = 0; i < steps.Count; i++)
                times[run, i] = profile[i].Milliseconds;
        }

        var medians = new double[steps.Count];
        for (var i = 0; i < medians.Length; i++)
        {
            var step = i;
            medians[i] = SideBySide.Median(Enumerable.Range(0, runs).Select(run => times[run, step]));
        }

        var total = medians.Sum();
        for (var i = 0; i < medians.Length; i++)
        {
            var speed = 2e-6 * steps[i].Cost.Macs / medians[i];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"    {steps[i].Kind,-18} {steps[i].Output.Shape,-18} {medians[i],8:F4} ms {speed,7:F1} GFLOP/s "
                + $"{100 * medians[i] / total,5:F1} %"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {"all steps",-37} {total,8:F4} ms"));
        var compiled = session.Compiled;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"    memory: activations {compiled.ActivationBytes:N0} bytes (no plan can go below {compiled.ActivationBytesBound:N0}), "
            + $"working {compiled.ScratchBytes:N0}, packed weights {compiled.PackedBytes:N0}, constants {compiled.ConstantBytes:N0}"));
    }
}
