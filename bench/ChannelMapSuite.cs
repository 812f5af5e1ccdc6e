using System.Globalization;
using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// Depthwise convolutions whose output channels read the input channels that a map names, beside those of as many channels that read their
/// own; with <c>--fused</c>, each with the pointwise convolution behind it.
/// </summary>
/// <remarks>
/// The map "even" reads every channel about as often, as a depth multiplier does. "skips" is that of a separated network: 15 % of the
/// channels are read by nobody, the others as often as chance has it. "any" is in no order.
/// </remarks>
internal static unsafe class ChannelMapSuite
{
    private static readonly (int Size, int In, int Out)[] Shapes =
    [
        (56, 64, 96), (28, 32, 64), (28, 128, 160), (14, 64, 128), (14, 256, 256), (7, 128, 256), (7, 512, 600),
    ];

    /// <summary>
    /// Options: --threads 1,2; --width 128|256|512; --kernel K; --stride S; --shape SIZE,IN,OUT (that one alone); --maps even,skips,any;
    /// --fused; --only TEXT; --rounds N; --json FILE.
    /// </summary>
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultThreads: "1");
        var kernel = Number("--kernel", "3");
        var stride = Number("--stride", "1");
        var shape = SuiteOptions.Value(args, "--shape")?.Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        var shapes = shape is null ? Shapes : [(shape[0], shape[1], shape[2])];
        var maps = (SuiteOptions.Value(args, "--maps") ?? "even,skips").Split(',');
        var isFused = args.Contains("--fused");
        var table = new SideBySide($"channel maps, {options.Width}", "mapped", "own channels");
        foreach (var threads in options.Threads)
        {
            foreach (var (size, inChannels, outChannels) in shapes)
            {
                foreach (var kind in maps)
                {
                    var name = $"{size}x{size}x{inChannels}_{outChannels}_k{kernel}{(stride > 1 ? $"_s{stride}" : "")}_{kind}";
                    if (options.Wants(name))
                        Measure(table, name, size, kernel, stride, Map(kind, inChannels, outChannels), isFused, threads, options);
                }
            }
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;

        int Number(string option, string otherwise) =>
            int.Parse(SuiteOptions.Value(args, option) ?? otherwise, CultureInfo.InvariantCulture);
    }

    private static void Measure(
        SideBySide table, string name, int size, int kernel, int stride, DepthwiseMap map, bool isFused, int threads, SuiteOptions options)
    {
        var channels = map.OutChannels;
        var own = ConvGeometry.Create(1, size, channels, channels, kernel, stride, 1, Padding.Same, channels);
        var g = own with { InChannels = map.InChannels, Groups = map.InChannels };
        var weights = BenchData.Floats(kernel * kernel * channels, 2);
        var bias = BenchData.Floats(channels, 3);
        var mapped = new DepthwiseLoop(weights, kernel, map, bias, Activation.ReLU6, options.Width);
        var plain = new DepthwiseLoop(weights, kernel, channels, 1, bias, Activation.ReLU6, options.Width);
        var input = BenchData.Buffer((nint)size * size * map.InChannels);
        var gathered = BenchData.Buffer((nint)size * size * channels);
        for (nint i = 0; i < gathered.Length; i++)
            gathered.Pointer[i] = input.Pointer[(i / channels * map.InChannels) + map.Sources[(int)(i % channels)]];
        var pixels = (nint)own.Rows.Out * own.Columns.Out;
        var (a, b) = (BenchData.Buffer(pixels * channels), BenchData.Buffer(pixels * channels));
        var pointwise = new PointwiseLoop(
            BenchData.Floats(channels * channels, 4), channels, channels, bias, Activation.ReLU6, options.Width);
        var fused = (Mapped: new FusedSeparableLoop(mapped, pointwise), Plain: new FusedSeparableLoop(plain, pointwise));

        void Mapped()
        {
            if (isFused)
                fused.Mapped.Run(input.Pointer, a.Pointer, g, channels, threads);
            else
                mapped.Run(input.Pointer, a.Pointer, g, threads);
        }

        void Plain()
        {
            if (isFused)
                fused.Plain.Run(gathered.Pointer, b.Pointer, own, channels, threads);
            else
                plain.Run(gathered.Pointer, b.Pointer, own, threads);
        }

        Mapped();
        Plain();
        for (nint i = 0; i < a.Length; i++)
        {
            var (actual, expected) = (a.Pointer[i], b.Pointer[i]);
            if (!(Math.Abs(actual - expected) <= 1e-5f))
                throw new InvalidOperationException($"{name}: {actual} where a copy of the channels gives {expected} (element {i}).");
        }

        var gigaflop = 2e-9 * pixels * channels * ((kernel * kernel) + (isFused ? channels : 0));
        var repeat = Math.Max(1, (int)(0.05 / gigaflop));
        table.Measure(
            $"{name}, {threads} thread{(threads > 1 ? "s" : "")}",
            () => SideBySide.Time(Mapped, repeat),
            () => SideBySide.Time(Plain, repeat),
            options.Rounds,
            gigaflop,
            SideBySide.PauseFor(threads));
    }

    private static DepthwiseMap Map(string kind, int inChannels, int outChannels)
    {
        var random = new Random(5);
        int[] even = [.. Enumerable.Range(0, outChannels).Select(e => (int)((long)e * inChannels / outChannels))];
        if (kind == "any")
            random.Shuffle(even);
        if (kind != "skips")
            return new(inChannels, even);

        // Channels that are read are so once at least; the rest falls where chance has it.
        var read = Enumerable.Range(0, inChannels).Where(_ => random.NextSingle() >= 0.15f).Take(outChannels).ToArray();
        var sources = read.Concat(Enumerable.Range(0, outChannels - read.Length).Select(_ => read[random.Next(read.Length)])).ToArray();
        Array.Sort(sources);
        return new(inChannels, sources);
    }
}
