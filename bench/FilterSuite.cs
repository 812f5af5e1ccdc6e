using System.Globalization;
using System.Text.Json.Nodes;

namespace SeparableConv.Bench;

/// <summary>Image filters beside OpenCV, and what they cost as pictures grow.</summary>
internal static class FilterSuite
{
    private const int Height = 2160;
    private const int Width = 3840;

    public static int Run(string[] args)
    {
        string? json = null;
        var only = "";
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--scaling":
                    FilterScaling.PrintScaling();
                    return 0;
                case "--fit":
                    FilterScaling.PrintFit();
                    return 0;
                case "--json" when i + 1 < args.Length:
                    json = args[++i];
                    break;
                case "--only" when i + 1 < args.Length:
                    only = args[++i];
                    break;
                default:
                    Console.Error.WriteLine($"filters: '{args[i]}' is unknown; use --scaling, --fit, --json FILE, --only TEXT.");
                    return 2;
            }
        }

        Compare(only, json);
        return 0;
    }

    private static void Compare(string only, string? json)
    {
        using var peer = OpenCvPeer.Start();
        var table = new SideBySide($"filters on {Width}x{Height}", "ours", "opencv");
        foreach (var (size, sigma) in new[] { (3, 0.8), (5, 1.1), (7, 1.4), (15, 2.6), (31, 5.0) })
        {
            Gaussian<byte>(peer, table, only, size, sigma, 3);
            if (size == 7)
                Gaussian<byte>(peer, table, only, size, sigma, 4);
            Gaussian<float>(peer, table, only, size, sigma, 1);
            Gaussian<float>(peer, table, only, size, sigma, 3);
            Gaussian<ushort>(peer, table, only, size, sigma, 1);
        }

        Sobel(peer, table, only);
        foreach (var size in new[] { 3, 5, 7, 15, 31 })
        {
            Dense<float>(peer, table, only, size, 1);
            if (size <= 7)
                Dense<float>(peer, table, only, size, 3);
            Dense<byte>(peer, table, only, size, 3);
        }

        if (table.Rows.Count == 0)
            throw new ArgumentException($"No row's name contains '{only}'.");
        table.PrintSummary();
        table.SaveJson(json);
    }

    // Rows such as GaussianBlur7_uint8x3: OpenCV has two ways to a Gaussian, and each is a row.
    private static void Gaussian<T>(OpenCvPeer peer, SideBySide table, string only, int size, double sigma, int channels)
        where T : unmanaged
    {
        var factor = GaussianFactor(size, sigma);
        var numbers = new JsonArray([.. factor.Select(v => JsonValue.Create(v))]);
        var kernel = FilterKernel.OuterProduct(factor, factor, $"gauss:{size}:{sigma}");
        Case<T>(peer, table, only, kernel, channels, FilterPlanChoice.Separable,
        [
            ($"sepFilter2D{size}", new JsonObject { ["operation"] = "sepFilter2D", ["column"] = numbers, ["row"] = numbers.DeepClone() }),
            ($"GaussianBlur{size}", new JsonObject { ["operation"] = "GaussianBlur", ["size"] = size, ["sigma"] = sigma }),
        ]);
    }

    private static void Sobel(OpenCvPeer peer, SideBySide table, string only)
    {
        var kernel = FilterKernel.OuterProduct([1, 2, 1], [-1, 0, 1], "sobel-x");
        Case<float>(peer, table, only, kernel, 1, FilterPlanChoice.Separable, [("Sobel3", new JsonObject { ["operation"] = "Sobel" })]);

        var work = new FilterWorkload<float>(Height, Width, 1);
        foreach (var threads in new[] { 1, 2 })
        {
            var name = $"Sobel3_float32x1 beside a plain copy, {Threads(threads)}";
            if (!name.Contains(only, StringComparison.OrdinalIgnoreCase))
                continue;
            var filter = ImageFilter.Create(kernel, work.Shape, new() { Threads = threads, Plan = FilterPlanChoice.Separable });
            Console.WriteLine(FormattableString.Invariant(
                $"  {name}: largest error {work.Check(filter):G3}; the other column is Span.CopyTo, one thread"));
            table.Measure(name, () => SideBySide.Time(() => work.Run(filter), 3), () => SideBySide.Time(work.Copy, 3), 15);
        }
    }

    private static void Dense<T>(OpenCvPeer peer, SideBySide table, string only, int size, int channels)
        where T : unmanaged
    {
        var random = new Random(size);
        double[] values = [.. Enumerable.Range(0, size * size).Select(_ => random.NextDouble() / size / size)];
        var numbers = new JsonArray();
        for (var i = 0; i < size; i++)
            numbers.Add(new JsonArray([.. values[(i * size)..((i + 1) * size)].Select(v => JsonValue.Create(v))]));
        Case<T>(peer, table, only, new FilterKernel(values.AsSpan(), size, size), channels, FilterPlanChoice.Dense,
            [($"filter2D{size}", new JsonObject { ["operation"] = "filter2D", ["kernel"] = numbers })]);
    }

    private static void Case<T>(
        OpenCvPeer peer, SideBySide table, string only, FilterKernel kernel, int channels, FilterPlanChoice plan,
        (string Name, JsonObject Operation)[] peers)
        where T : unmanaged
    {
        var type = ImageShape.TypeOf<T>().ToString().ToLowerInvariant();
        var rows = (from p in peers
                    from threads in new[] { 1, 2 }
                    let name = $"{p.Name}_{type}x{channels}, {Threads(threads)}"
                    where name.Contains(only, StringComparison.OrdinalIgnoreCase)
                    select (name, p.Operation, threads)).ToArray();
        if (rows.Length == 0)
            return;

        var work = new FilterWorkload<T>(Height, Width, channels);
        var image = peer.Load(work.Input, work.Shape);
        foreach (var (name, operation, threads) in rows)
        {
            var filter = ImageFilter.Create(kernel, work.Shape, new() { Threads = threads, Plan = plan });
            Console.WriteLine(FormattableString.Invariant($"  {name}: largest error {work.Check(filter):G6}"));
            table.Measure(name, () => SideBySide.Time(() => work.Run(filter), 2), () => peer.Time(image, operation, threads, 2));
        }

        peer.Unload(image);
    }

    private static string Threads(int threads) =>
        threads == 1 ? "1 thread" : string.Create(CultureInfo.InvariantCulture, $"{threads} threads");

    private static double[] GaussianFactor(int size, double sigma)
    {
        double[] factor = [.. Enumerable.Range(0, size).Select(i => Math.Exp(-Math.Pow(i - (size / 2), 2) / (2 * sigma * sigma)))];
        var sum = factor.Sum();
        return Array.ConvertAll(factor, v => v / sum);
    }
}
