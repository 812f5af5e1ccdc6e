using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Loops;

namespace SeparableConv.Tests.Filtering;

/// <summary>Random pictures and kernels: sizes around the vector lengths, kernels larger than the picture, every option.</summary>
internal static class FilterCases
{
    /// <summary>The element types of pictures.</summary>
    public static readonly ElementType[] Types = [ElementType.UInt8, ElementType.UInt16, ElementType.Float32];

    // Around 4, 8 and 16 floats and the blocks of several vectors that the loops take.
    private static readonly int[] AwkwardWidths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19, 24, 31, 32, 33, 35, 47, 63, 64, 65, 97, 130];

    public static Arbitrary<FilterCase> Any(SimdWidth width, int mostRank, FilterPlanChoice plan) =>
        (from type in Gen.Elements(Types)
         from height in Gen.Choose(1, 13)
         from imageWidth in Gen.Elements(AwkwardWidths)
         from channels in Gen.Choose(1, 4)
         from kernelH in Gen.Choose(1, 9)
         from kernelW in Gen.Choose(1, 9)
         from rank in Gen.Choose(1, mostRank)
         from holes in Gen.Choose(0, 3)
         from border in Gen.Elements(Enum.GetValues<BorderMode>())
         from flags in Gen.Choose(0, 7)
         from seed in Gen.Choose(0, int.MaxValue - 1)
         let shape = new ImageShape(height, imageWidth, channels, type)
         let kernel = Kernel(kernelH, kernelW, Math.Min(rank, Math.Min(kernelH, kernelW)), holes, new Random(seed))
         let options = new FilterOptions
         {
             Border = border,
             ConstantValue = type == ElementType.Float32 ? -0.75 : 37,
             Convolve = (flags & 1) != 0,
             FilterAlpha = (flags & 2) != 0,
             Scale = (flags & 4) != 0 ? 0.5 : 1,
             Offset = (flags & 4) != 0 ? shape.MaxValue / 2 : 0,
             Plan = plan.Kind == FilterPlanKind.RankR ? FilterPlanChoice.OfRank(Math.Min(kernelH, kernelW)) : plan,
             Threads = 1,
         }
         select new FilterCase(shape, kernel, options, width, seed)).ToArbitrary();

    /// <summary>A sum of random columns times random rows, with zeros in them, whose absolute values sum to 1.</summary>
    public static FilterKernel Kernel(int height, int width, int rank, int holes, Random random)
    {
        var values = new double[height * width];
        var total = 0.0;
        for (var t = 0; t < rank; t++)
        {
            var column = Factor(height, holes, random);
            var row = Factor(width, holes, random);
            for (var i = 0; i < values.Length; i++)
            {
                values[i] += column[i / width] * row[i % width];
                total += Math.Abs(column[i / width] * row[i % width]);
            }
        }

        return new FilterKernel(Array.ConvertAll(values, v => v / total).AsSpan(), height, width);
    }

    // Some number stays, so that the kernel is not zero.
    private static double[] Factor(int length, int holes, Random random)
    {
        var factor = new double[length];
        for (var i = 0; i < length; i++)
            factor[i] = 0.25 + random.NextDouble();
        for (var i = 0; i < holes && length > 1; i++)
            factor[random.Next(length - 1)] = 0;
        if (holes > 1)
            factor[length / 2] = length > 2 ? 0 : factor[length / 2];
        for (var i = 0; i < length; i++)
            factor[i] *= random.Next(3) == 0 ? -1 : 1;
        return factor;
    }
}
