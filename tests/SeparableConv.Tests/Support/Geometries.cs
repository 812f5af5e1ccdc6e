using FsCheck;
using FsCheck.Fluent;

namespace SeparableConv.Tests.Support;

/// <summary>Random convolutions, small enough for the plain loops and awkward enough for the fast ones.</summary>
internal static class Geometries
{
    // Around the vector lengths 4, 8 and 16: one less, the same, one more, and twice and a bit.
    private static readonly int[] AwkwardChannels = [1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 19, 24, 31, 32, 33, 35, 40, 48, 67];

    /// <summary>Any legal combination of sizes; groups divide both numbers of channels.</summary>
    public static Gen<ConvGeometry> Any { get; } =
        from axes in Axes
        from groups in Gen.Frequency((3, Gen.Constant(1)), (1, Gen.Choose(2, 5)))
        from inChannels in Gen.Elements(AwkwardChannels)
        from outChannels in Gen.Elements(AwkwardChannels)
        from batch in Gen.Choose(1, 2)
        select new ConvGeometry(batch, inChannels * groups, outChannels * groups, groups, axes.Rows, axes.Columns);

    /// <summary>The same with a group a channel and any multiplier.</summary>
    public static Gen<ConvGeometry> Depthwise =>
        from g in Any
        from multiplier in Gen.Frequency((3, Gen.Constant(1)), (1, Gen.Choose(2, 4)), (1, Gen.Constant(8)))
        let channels = g.InChannels / g.Groups
        select g with { InChannels = channels, OutChannels = channels * multiplier, Groups = channels };

    /// <summary>Tries so many random geometries; FsCheck shrinks what fails.</summary>
    public static void Check(Gen<ConvGeometry> geometries, int count, Action<ConvGeometry> check) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(count), Prop.ForAll(geometries.ToArbitrary(), check));

    /// <summary>One axis: kernel, stride and dilation up to 4, any padding mode, and an input that gives at least one output.</summary>
    private static Gen<(AxisGeometry Rows, AxisGeometry Columns)> Axes =>
        from kernelH in Gen.Choose(1, 5)
        from kernelW in Gen.Choose(1, 5)
        from strideH in Gen.Choose(1, 4)
        from strideW in Gen.Choose(1, 4)
        from dilationH in Gen.Choose(1, 3)
        from dilationW in Gen.Choose(1, 3)
        from extraH in Gen.Choose(0, 9)
        from extraW in Gen.Choose(0, 20)
        from mode in Gen.Choose(0, 3)
        from top in Gen.Choose(0, 3)
        from bottom in Gen.Choose(0, 3)
        from left in Gen.Choose(0, 3)
        from right in Gen.Choose(0, 3)
        let padding = mode switch
        {
            0 => Padding.Valid,
            1 => Padding.Same,
            2 => Padding.SameLower,
            _ => Padding.Explicit(top, bottom, left, right),
        }
        let height = mode == 0
            ? (dilationH * (kernelH - 1)) + 1 + extraH
            : Math.Max(1, (dilationH * (kernelH - 1)) + 1 + extraH - top - bottom)
        let width = mode == 0
            ? (dilationW * (kernelW - 1)) + 1 + extraW
            : Math.Max(1, (dilationW * (kernelW - 1)) + 1 + extraW - left - right)
        let geometry = ConvGeometry.Create(
            1, (height, width), 1, 1, (kernelH, kernelW), (strideH, strideW), (dilationH, dilationW), padding)
        select (geometry.Rows, geometry.Columns);
}
