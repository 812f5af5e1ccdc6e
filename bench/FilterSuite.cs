using System.Globalization;
using OpenCvSharp;

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
        var table = new SideBySide($"filters on {Width}x{Height}", "ours", $"opencv {Cv2.GetVersionString()}");
        foreach (var (size, sigma) in new[] { (3, 0.8), (5, 1.1), (7, 1.4), (15, 2.6), (31, 5.0) })
        {
            foreach (var channels in new[] { 1, 3, 4 })
                Gaussian<byte>(table, only, size, sigma, channels);
            Gaussian<ushort>(table, only, size, sigma, 1);
            Gaussian<float>(table, only, size, sigma, 1);
            Gaussian<float>(table, only, size, sigma, 3);
        }

        Sobel(table, only);
        foreach (var size in new[] { 3, 5, 7, 15, 31 })
        {
            Dense<float>(table, only, size, 1);
            if (size <= 7)
                Dense<float>(table, only, size, 3);
            Dense<byte>(table, only, size, 3);
        }

        if (table.Rows.Count == 0)
            throw new ArgumentException($"No row's name contains '{only}'.");
        table.PrintSummary();
        table.SaveJson(json);
    }

    // Rows such as Gaussian7_uint8x3: OpenCV has two ways to it, of which the quicker is the peer.
    private static void Gaussian<T>(SideBySide table, string only, int size, double sigma, int channels)
        where T : unmanaged
    {
        var factor = GaussianFactor(size, sigma);
        var kernel = FilterKernel.OuterProduct(factor, factor, $"gauss:{size}:{sigma}");
        Case<T>(
            table, only, $"Gaussian{size}", kernel, channels, FilterPlanChoice.Separable,
            OpenCvOperation.Gaussian(size, sigma), OpenCvOperation.Separable(factor));
    }

    private static void Sobel(SideBySide table, string only)
    {
        var kernel = FilterKernel.OuterProduct([1, 2, 1], [-1, 0, 1], "sobel-x");
        Case<float>(table, only, "Sobel3", kernel, 1, FilterPlanChoice.Separable, OpenCvOperation.Sobel());

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

    private static void Dense<T>(SideBySide table, string only, int size, int channels)
        where T : unmanaged
    {
        var random = new Random(size);
        double[] values = [.. Enumerable.Range(0, size * size).Select(_ => random.NextDouble() / size / size)];
        var kernel = new FilterKernel(values.AsSpan(), size, size);
        Case<T>(table, only, $"Dense{size}", kernel, channels, FilterPlanChoice.Dense, OpenCvOperation.Dense(values, size));
    }

    private static void Case<T>(
        SideBySide table, string only, string title, FilterKernel kernel, int channels, FilterPlanChoice plan,
        params OpenCvOperation[] operations)
        where T : unmanaged
    {
        var type = ImageShape.TypeOf<T>().ToString().ToLowerInvariant();
        var rows = (from threads in new[] { 1, 2 }
                    let name = $"{title}_{type}x{channels}, {Threads(threads)}"
                    where name.Contains(only, StringComparison.OrdinalIgnoreCase)
                    select (name, threads)).ToArray();
        if (rows.Length == 0)
            return;

        var work = new FilterWorkload<T>(Height, Width, channels);
        using var peer = new OpenCvPeer<T>(work.Input, work.Shape);
        foreach (var (name, threads) in rows)
        {
            // Alpha is a channel like any other to OpenCV.
            var filter = ImageFilter.Create(kernel, work.Shape, new() { Threads = threads, Plan = plan, FilterAlpha = true });
            var operation = peer.Quickest(operations, threads);
            peer.Time(operation, threads, 1);
            Console.WriteLine(FormattableString.Invariant(
                $"  {name}: largest error {work.Check(filter):G6}, of {operation.Name} {work.CheckPeer(peer.Output, filter.Plan):G6}"));
            table.Measure(
                name,
                () => SideBySide.Time(() => work.Run(filter), 2),
                () => peer.Time(operation, threads, 2),
                pause: SideBySide.PauseFor(threads));
        }
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
