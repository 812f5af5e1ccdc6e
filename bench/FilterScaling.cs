using System.Globalization;
using MathNet.Numerics.LinearAlgebra;

namespace SeparableConv.Bench;

/// <summary>Time and memory against size, and the constants of the cost model fitted to this machine.</summary>
internal static class FilterScaling
{
    public static void PrintScaling()
    {
        var kernel = SeparableSquare(7);
        Console.WriteLine("separable 7x7, 1 thread: time against pixels and channels; memory beside input and output");
        Console.WriteLine($"{"picture",-26} {"ms (min)",10} {"ns/element",11} {"scratch/thread",15} {"allocated/run",14}");
        foreach (var (height, width) in new[] { (270, 480), (540, 960), (1080, 1920), (2160, 3840), (4320, 7680) })
        {
            Scale<byte>(kernel, height, width, 3);
            Scale<float>(kernel, height, width, 1);
        }

        foreach (var channels in new[] { 1, 2, 3, 4 })
        {
            Scale<byte>(kernel, 1080, 1920, channels);
            Scale<float>(kernel, 1080, 1920, channels);
        }
    }

    /// <summary>Prints the table of SeparableConv's FilterCostModel: nanoseconds an element, least squares of relative errors.</summary>
    public static void PrintFit()
    {
        Console.WriteLine("nanoseconds an element: dense fixed, dense tap, separable fixed, column tap, row tap, further term, "
            + "box fixed, box doubling");
        Fit<byte>();
        Fit<ushort>();
        Fit<float>();
    }

    private static void Scale<T>(FilterKernel kernel, int height, int width, int channels)
        where T : unmanaged
    {
        var work = new FilterWorkload<T>(height, width, channels);
        var filter = ImageFilter.Create(kernel, work.Shape, new() { Threads = 1, Plan = FilterPlanChoice.Separable, FilterAlpha = true });
        work.Check(filter);
        var milliseconds = Best(work, filter);
        var before = GC.GetAllocatedBytesForCurrentThread();
        work.Run(filter);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var nanoseconds = milliseconds * 1e6 / height / width / channels;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{work.Shape,-26} {milliseconds,10:F3} {nanoseconds,11:F3} {filter.ScratchBytes,13:N0} B {allocated,12} B"));
    }

    private static void Fit<T>()
        where T : unmanaged
    {
        var work = new FilterWorkload<T>(1080, 1920, 3);
        var elements = (double)work.Shape.Height * work.Shape.RowElements;
        var dense = new List<(double[] Terms, double Time)>();
        foreach (var (kernelH, kernelW) in new[] { (1, 1), (3, 3), (1, 7), (5, 5), (7, 7), (9, 9), (15, 15) })
        {
            var kernel = SeparableRectangle(kernelH, kernelW);
            dense.Add(([1, kernelH * kernelW], Measure(work, kernel, FilterPlanChoice.Dense) * 1e6 / elements));
        }

        var separable = new List<(double[] Terms, double Time)>();
        foreach (var (kernelH, kernelW) in new[] { (3, 3), (5, 5), (7, 7), (9, 9), (15, 15), (31, 31), (15, 3), (3, 15), (31, 7), (7, 31) })
        {
            var kernel = SeparableRectangle(kernelH, kernelW);
            separable.Add(([1, kernelH, kernelW, 0], Measure(work, kernel, FilterPlanChoice.Separable) * 1e6 / elements));
        }

        foreach (var (size, rank) in new[] { (3, 2), (5, 2), (5, 3), (9, 2), (13, 5), (25, 8) })
        {
            var kernel = FullRankSquare(size);
            separable.Add(([1, size * rank, size * rank, rank - 1], Measure(work, kernel, FilterPlanChoice.OfRank(rank)) * 1e6 / elements));
        }

        var box = new List<(double[] Terms, double Time)>();
        foreach (var size in new[] { 21, 31, 43, 63, 101 })
        {
            double[] ones = [.. Enumerable.Repeat(1.0 / size, size)];
            var kernel = FilterKernel.OuterProduct(ones, ones);
            box.Add(([1, System.Numerics.BitOperations.Log2((uint)size)], Measure(work, kernel, FilterPlanChoice.Box) * 1e6 / elements));
        }

        var constants = Solve(dense).Concat(Solve(separable)).Concat(Solve(box));
        var type = work.Shape.Type;
        Console.WriteLine(
            $"ElementType.{type} => new({string.Join(", ", constants.Select(c => c.ToString("0.0000", CultureInfo.InvariantCulture)))})");
    }

    private static double Measure<T>(FilterWorkload<T> work, FilterKernel kernel, FilterPlanChoice plan)
        where T : unmanaged => Best(work, ImageFilter.Create(kernel, work.Shape, new() { Threads = 1, Plan = plan }));

    private static double Best<T>(FilterWorkload<T> work, ImageFilter filter)
        where T : unmanaged => Enumerable.Range(0, 12).Min(_ => SideBySide.Time(() => work.Run(filter), 1));

    // Each equation is divided by its time, so that a fast filter counts as much as a slow one; nothing costs less than nothing.
    private static double[] Solve(List<(double[] Terms, double Time)> samples)
    {
        var matrix = Matrix<double>.Build.DenseOfRowArrays(samples.Select(s => Array.ConvertAll(s.Terms, t => t / s.Time)));
        var ones = Vector<double>.Build.Dense(samples.Count, 1.0);
        return [.. matrix.Svd().Solve(ones).Select(c => Math.Max(0, c))];
    }

    private static FilterKernel SeparableSquare(int size) => SeparableRectangle(size, size);

    private static FilterKernel SeparableRectangle(int height, int width) => FilterKernel.OuterProduct(Hat(height), Hat(width));

    private static FilterKernel FullRankSquare(int size)
    {
        var random = new Random(size);
        var values = new double[size * size];
        foreach (ref var value in values.AsSpan())
            value = random.NextDouble() / values.Length;
        return new FilterKernel(values, size, size);
    }

    private static double[] Hat(int length)
    {
        double[] hat = [.. Enumerable.Range(0, length).Select(i => 1.0 + Math.Min(i, length - 1 - i))];
        return Array.ConvertAll(hat, v => v / hat.Sum());
    }
}
