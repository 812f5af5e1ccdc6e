using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// MobileNetV1's pointwise and depthwise layers in int8, TensorFlow Lite's rounding and ReLU6 included, beside the same layers in float32.
/// The test suite holds the bytes against plain loops; here a layer's are held against a narrower vector's before it is timed.
/// </summary>
internal static unsafe class QuantizedSuite
{
    private static readonly (int Size, int In, int Out)[] Pointwise =
    [
        (112, 32, 64), (56, 64, 128), (56, 128, 128), (28, 128, 256), (28, 256, 256), (14, 256, 512), (14, 512, 512), (7, 512, 1024),
        (7, 1024, 1024),
    ];

    private static readonly (int Size, int Channels, int Stride)[] Depthwise =
    [
        (112, 32, 1), (112, 64, 2), (56, 128, 1), (56, 128, 2), (28, 256, 1), (28, 256, 2), (14, 512, 1), (14, 512, 2), (7, 1024, 1),
    ];

    private static readonly int[] Repeats = [1, 1, 1, 1, 1, 1, 5, 1, 1];

    /// <summary>Options: those of every suite; --rounding float times ONNX's rounding.</summary>
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultThreads: "1");
        var rounding = SuiteOptions.Value(args, "--rounding") == "float" ? Requantization.Float : Requantization.FixedPoint;
        foreach (var threads in options.Threads)
        {
            var table = new SideBySide($"int8 {rounding}, {options.Width}, threads {threads}", "int8", "float32");
            for (var i = 0; i < Pointwise.Length; i++)
            {
                var (size, inChannels, outChannels) = Pointwise[i];
                var name = $"MobileNetV1_{size}x{size}_{inChannels}_{outChannels}";
                if (options.Wants(name))
                    MeasureConv(
                        table,
                        name,
                        ConvGeometry.Create(1, size, inChannels, outChannels, 1, 1, 1, Padding.Valid),
                        rounding,
                        threads,
                        options);
            }

            foreach (var (size, channels, stride) in Depthwise)
            {
                var name = $"MobileNetV1_{size}x{size}x{channels}_k3{(stride > 1 ? "_s2" : "")}";
                if (options.Wants(name))
                    MeasureDepthwise(
                        table,
                        name,
                        ConvGeometry.Create(1, size, channels, channels, 3, stride, 1, Padding.Same, channels),
                        rounding,
                        threads,
                        options);
            }

            if (options.Wants("MobileNetV1_224x224_3_32_k3_s2"))
                MeasureConv(
                    table,
                    "MobileNetV1_224x224_3_32_k3_s2",
                    ConvGeometry.Create(1, 224, 3, 32, 3, 2, 1, Padding.Same),
                    rounding,
                    threads,
                    options);
            table.PrintSummary();
            PrintNetwork(table);
            table.SaveJson(options.Json);
        }

        return 0;
    }

    // Each layer as often as the network has it.
    private static void PrintNetwork(SideBySide table)
    {
        if (table.Rows.Count != Pointwise.Length + Depthwise.Length + 1)
            return;
        var (ours, theirs) = (0.0, 0.0);
        for (var i = 0; i < table.Rows.Count; i++)
        {
            var times = i < 2 * Repeats.Length ? Repeats[i % Repeats.Length] : 1;
            ours += times * table.Rows[i].OursMedian;
            theirs += times * table.Rows[i].TheirsMedian;
        }

        Console.WriteLine(FormattableString.Invariant(
            $"all of MobileNetV1's convolutions one by one: int8 {ours:F2} ms, float32 {theirs:F2} ms, ratio {theirs / ours:F2}"));
    }

    private static void MeasureConv(
        SideBySide table, string name, ConvGeometry g, Requantization rounding, int threads, SuiteOptions options)
    {
        var depth = g.Rows.Kernel * g.Columns.Kernel * g.InChannels;
        var (input, output) =
            (new Bytes((nint)g.Rows.In * g.Columns.In * g.InChannels), new Bytes((nint)g.Rows.Out * g.Columns.Out * g.OutChannels));
        var loop = new QuantizedConvLoop(Layer(depth, g.OutChannels, rounding), g.Kernel, g.InChannels, g.OutChannels, 1, options.Width);
        var narrow = new QuantizedConvLoop(Layer(depth, g.OutChannels, rounding), g.Kernel, g.InChannels, g.OutChannels, 1, SimdWidth.V128);
        Check(name, output, target => loop.Run(input.Pointer, target, g, threads), target => narrow.Run(input.Pointer, target, g, 1));

        var weights = BenchData.Floats(depth * g.OutChannels, 2);
        var bias = BenchData.Floats(g.OutChannels, 3);
        var (x, y) = (BenchData.Buffer((nint)g.Rows.In * g.Columns.In * g.InChannels), BenchData.Buffer(output.Length));
        var pixels = (nint)g.Rows.Out * g.Columns.Out;
        Action floats;
        if (depth == g.InChannels)
        {
            var pointwise = new PointwiseLoop(weights, g.InChannels, g.OutChannels, bias, Activation.ReLU6, options.Width);
            floats = () => pointwise.Run(x.Pointer, y.Pointer, pixels, threads);
        }
        else
        {
            var standard = new StandardLoop(weights, g.Kernel, g.InChannels, g.OutChannels, 1, 1, bias, Activation.ReLU6, options.Width);
            floats = () => standard.Run(x.Pointer, y.Pointer, g, threads);
        }

        Measure(
            table,
            name,
            () => loop.Run(input.Pointer, output.Pointer, g, threads),
            floats,
            2e-9 * pixels * depth * g.OutChannels,
            options.Rounds);
    }

    private static void MeasureDepthwise(
        SideBySide table, string name, ConvGeometry g, Requantization rounding, int threads, SuiteOptions options)
    {
        var channels = g.InChannels;
        var (input, output) =
            (new Bytes((nint)g.Rows.In * g.Columns.In * channels), new Bytes((nint)g.Rows.Out * g.Columns.Out * channels));
        var loop = new QuantizedDepthwiseLoop(Layer(9, channels, rounding), g, options.Width);
        var narrow = new QuantizedDepthwiseLoop(Layer(9, channels, rounding), g, SimdWidth.V128);
        Check(name, output, target => loop.Run(input.Pointer, target, threads), target => narrow.Run(input.Pointer, target, 1));

        var floats = new DepthwiseLoop(
            BenchData.Floats(9 * channels, 2), 3, channels, 1, BenchData.Floats(channels, 3), Activation.ReLU6, options.Width);
        var (x, y) = (BenchData.Buffer(input.Length), BenchData.Buffer(output.Length));
        Measure(
            table,
            name,
            () => loop.Run(input.Pointer, output.Pointer, threads),
            () => floats.Run(x.Pointer, y.Pointer, g, threads),
            2e-9 * output.Length * 9,
            options.Rounds);
    }

    private static void Measure(SideBySide table, string name, Action ours, Action theirs, double gigaflop, int rounds)
    {
        var repeat = Math.Max(1, (int)(0.2 / gigaflop));
        table.Measure(name, () => SideBySide.Time(ours, repeat), () => SideBySide.Time(theirs, repeat), rounds, gigaflop);
    }

    private delegate void Write(byte* target);

    private static void Check(string name, Bytes output, Write ours, Write narrow)
    {
        var expected = new Bytes(output.Length);
        ours(output.Pointer);
        narrow(expected.Pointer);
        if (!output.Span.SequenceEqual(expected.Span))
            throw new InvalidOperationException($"{name}: the bytes differ from those of 128 bits.");
    }

    private static QuantizedLayer Layer(int depth, int channels, Requantization rounding)
    {
        var random = new Random(5);
        var weights = new short[depth * channels];
        foreach (ref var w in weights.AsSpan())
            w = (short)random.Next(-127, 128);
        return new()
        {
            Weights = weights,
            Bias = Enumerable.Range(0, channels).Select(_ => random.Next(-2000, 2000)).ToArray(),
            Input = new(true, -128),
            Factors = Enumerable.Range(0, channels)
                .Select(_ => (double)(float)((0.5 + random.NextDouble()) / (100 * Math.Sqrt(depth))))
                .ToArray(),
            Output = new(rounding, true, -128, -128, 127),
        };
    }

    /// <summary>Bytes aligned to a cache line, random at first.</summary>
    private sealed class Bytes
    {
        private readonly PackedBuffer _memory;

        public Bytes(nint length)
        {
            (Length, _memory) = (length, new PackedBuffer((length + 3) / 4));
            new Random(1).NextBytes(Span);
        }

        public nint Length { get; }

        public byte* Pointer => (byte*)_memory.Pointer;

        public Span<byte> Span => new(Pointer, (int)Length);
    }
}
