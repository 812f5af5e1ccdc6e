using System.Numerics.Tensors;
using System.Text.Json;
using SeparableConv.Loops;
using SeparableConv.Tests.Golden;

namespace SeparableConv.Tests.Filtering;

// filters.json, which make_filters.py made with SciPy and OpenCV.
public class FilterGoldenTests
{
    [Fact]
    public void SciPy_and_OpenCV_agree_on_every_plan_and_width()
    {
        var checks = 0;
        foreach (var vector in GoldenFile.Cases("filters.json"))
        {
            foreach (var plan in new[] { FilterPlanChoice.Dense, FilterPlanChoice.OfRank(1000), FilterPlanChoice.Auto })
            {
                foreach (var width in SimdWidths.All)
                {
                    Check(vector, plan, width);
                    checks++;
                }
            }
        }

        Assert.True(checks > 900, $"Only {checks} comparisons were made.");
    }

    private static void Check(JsonElement vector, FilterPlanChoice plan, SimdWidth width)
    {
        var lengths = vector.Numbers("shape");
        var kernelShape = vector.Numbers("kernelShape");
        var kernel = new FilterKernel(vector.Numbers("kernel").AsSpan(), (int)kernelShape[0], (int)kernelShape[1]);
        var type = vector.GetProperty("type").GetString() switch
        {
            "uint8" => ElementType.UInt8,
            "uint16" => ElementType.UInt16,
            _ => ElementType.Float32,
        };
        var shape = new ImageShape((int)lengths[0], (int)lengths[1], (int)lengths[2], type);
        var options = new FilterOptions
        {
            Border = Enum.Parse<BorderMode>(vector.GetProperty("border").GetString()!, ignoreCase: true),
            ConstantValue = vector.TryGetProperty("constant", out var constant) ? constant.GetDouble() : 0,
            Convolve = vector.GetProperty("convolve").GetBoolean(),
            Plan = plan.Kind == FilterPlanKind.RankR ? FilterPlanChoice.OfRank(Math.Min(kernel.Height, kernel.Width)) : plan,
        };
        var filter = new ImageFilter(FilterPlan.Create(kernel, shape, options), width);
        var input = vector.Numbers("input");
        var actual = type switch
        {
            ElementType.UInt8 => Array.ConvertAll(Run(filter, Array.ConvertAll(input, v => (byte)v)), v => (double)v),
            ElementType.UInt16 => Array.ConvertAll(Run(filter, Array.ConvertAll(input, v => (ushort)v)), v => (double)v),
            _ => Array.ConvertAll(Run(filter, Array.ConvertAll(input, v => (float)v)), v => (double)v),
        };

        // OpenCV's own float results (GaussianBlur) are rounded like ours; integers are compared with the exact sum.
        var expected = vector.Numbers("expected");
        var largest = expected.Max(Math.Abs);
        var tolerance = type switch
        {
            ElementType.UInt8 => 0.5 + 1e-3,
            ElementType.UInt16 => 0.5 + 0.02,
            _ => 3e-6 * Math.Max(1, largest),
        };
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(actual[i] - expected[i]) <= tolerance,
                $"{vector.GetProperty("maker")} {shape} {kernel} {options.Border} convolve {options.Convolve} {plan} {width}: "
                + $"element {i} is {actual[i]:R}, expected {expected[i]:R}.");
        }
    }

    private static T[] Run<T>(ImageFilter filter, T[] input)
        where T : unmanaged
    {
        var shape = filter.Plan.Shape;
        var output = new T[input.Length];
        ReadOnlySpan<nint> lengths = [shape.Height, shape.Width, shape.Channels];
        filter.Run(new ReadOnlyTensorSpan<T>(input, lengths), new TensorSpan<T>(output, lengths));
        return output;
    }
}
