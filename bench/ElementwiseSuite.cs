using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using SeparableConv.Activations;
using SeparableConv.Loops;
using SeparableConv.Networks.Operators;

namespace SeparableConv.Bench;

/// <summary>
/// Functions of single elements, beside the framework's or beside a plain copy of as many bytes as they read and write, at one thread. A
/// million elements a sample, of numbers that stay in the first-level cache: milliseconds are nanoseconds an element.
/// </summary>
internal static unsafe class ElementwiseSuite
{
    private const int Count = 4000;

    private const int Repeats = 250;

    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultThreads: "1");
        using var memory = new Memory();
        var table = new SideBySide("elementwise", "ours", "TensorPrimitives");
        Framework(table, options, memory, UnaryKind.Exp, TensorPrimitives.Exp);
        Framework(table, options, memory, UnaryKind.Log, TensorPrimitives.Log);
        Framework(table, options, memory, UnaryKind.Sinh, TensorPrimitives.Sinh);
        Framework(table, options, memory, "Sigmoid", Activation.Sigmoid, TensorPrimitives.Sigmoid);
        Framework(table, options, memory, "Tanh", Activation.Tanh, TensorPrimitives.Tanh);
        table.PrintSummary();
        table.SaveJson(options.Json);

        table = new SideBySide("elementwise", "ours", "a copy");
        foreach (var activation in new[] { Activation.Swish(), Activation.Mish, Activation.GELU, Activation.HardSwish, Activation.ELU() })
            Copied(table, options, activation.ToString(), 4, 4, () => activation.Apply(memory.Y, 1, Count, options.Width));
        foreach (var channels in new[] { 2, 4, 10, 20, 80 })
        {
            Copied(
                table,
                options,
                $"softmax of {channels}",
                4,
                4,
                () => Activation.Softmax.Apply(memory.Y, Count / channels, channels, options.Width));
        }

        Bytes(table, options, memory);
        table.PrintSummary();
        return 0;
    }

    private static void Bytes(SideBySide table, SuiteOptions options, Memory memory)
    {
        var x = (byte*)memory.X;
        var y = (byte*)memory.Y;
        var bytes = new byte[ByteLookup.Entries];
        var linear = new LinearByte(IsSigned: true, 0.013f, -3);
        var formula = new BytePairFormula
        {
            IsSigned = true,
            FactorA = new(0.7f, 0, 1),
            FactorB = new(0.4f, 0, 1),
            Least = sbyte.MinValue,
            Most = sbyte.MaxValue,
        };
        Copied(table, options, "table of bytes", 1, 1, () => ByteLookup.Run(bytes, x, y, Count));
        Copied(table, options, "quantize", 4, 1, () => LinearBytes.Quantize<LinearBytes.HalfAway>(memory.X, y, Count, linear, -128, 127));
        Copied(table, options, "dequantize", 1, 4, () => LinearBytes.Dequantize(x, memory.Y, Count, linear));
        Copied(
            table, options, "sum of bytes", 2, 1, () => BytePairLoop.Run<BytePairLoop.Sum>(x, 1, x, 1, y, Count, formula, options.Width));
        Copied(
            table,
            options,
            "product of bytes",
            2,
            1,
            () => BytePairLoop.Run<BytePairLoop.Product>(x, 1, x, 1, y, Count, formula, options.Width));
    }

    private delegate void Function(ReadOnlySpan<float> x, Span<float> y);

    private static void Framework(SideBySide table, SuiteOptions options, Memory memory, UnaryKind kind, Function peer)
    {
        var row = UnaryRow.For(kind, ElementType.Float32);
        Framework(table, options, memory, kind.ToString(), () => row.Run(memory.X, memory.Y, Count), peer);
    }

    private static void Framework(
        SideBySide table, SuiteOptions options, Memory memory, string name, Activation activation, Function peer) => Framework(
        table,
        options,
        memory,
        name,
        () =>
        {
            memory.Inputs.CopyTo(memory.Outputs);
            activation.Apply(memory.Y, 1, Count, options.Width);
        },
        peer);

    private static void Framework(SideBySide table, SuiteOptions options, Memory memory, string name, Action ours, Function peer)
    {
        if (!options.Wants(name))
            return;
        var expected = new float[Count];
        peer(memory.Inputs, expected);
        ours();
        for (var i = 0; i < Count; i++)
        {
            if (!(Math.Abs(memory.Outputs[i] - expected[i]) <= 1e-5f * Math.Max(1, Math.Abs(expected[i]))))
                throw new InvalidOperationException($"{name} of {memory.Inputs[i]} is {memory.Outputs[i]}, the peer's {expected[i]}.");
        }

        WarmUp(ours, () => peer(memory.Inputs, memory.Outputs));
        table.Measure(
            name,
            () => SideBySide.Time(ours, Repeats) * Repeats,
            () => SideBySide.Time(() => peer(memory.Inputs, memory.Outputs), Repeats) * Repeats,
            options.Rounds);
    }

    private static void Copied(SideBySide table, SuiteOptions options, string name, int reads, int writes, Action ours)
    {
        if (!options.Wants(name))
            return;
        var (source, target) = (new byte[Count * Math.Max(reads, writes)], new byte[Count * Math.Max(reads, writes)]);
        void Copy() => source.AsSpan(0, Count * (reads + writes) / 2).CopyTo(target);
        WarmUp(ours, Copy);
        table.Measure(
            name, () => SideBySide.Time(ours, Repeats) * Repeats, () => SideBySide.Time(Copy, Repeats) * Repeats, options.Rounds);
    }

    // .NET compiles what it finds busy a second time, a tenth of a second later.
    private static void WarmUp(params ReadOnlySpan<Action> actions)
    {
        for (var i = 0; i < 2; i++)
        {
            foreach (var action in actions)
                SideBySide.Time(action, 100);
            Thread.Sleep(150);
        }
    }

    private sealed class Memory : IDisposable
    {
        public Memory()
        {
            X = (float*)NativeMemory.AlignedAlloc(Count * sizeof(float), 64);
            Y = (float*)NativeMemory.AlignedAlloc(Count * sizeof(float), 64);
            var random = new Random(1);
            foreach (ref var x in Inputs)
                x = 5 * random.NextSingle() + 0.01f;
            Outputs.Clear();
        }

        public float* X { get; }

        public float* Y { get; }

        public Span<float> Inputs => new(X, Count);

        public Span<float> Outputs => new(Y, Count);

        public void Dispose()
        {
            NativeMemory.AlignedFree(X);
            NativeMemory.AlignedFree(Y);
        }
    }
}
