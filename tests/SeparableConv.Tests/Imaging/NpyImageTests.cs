using SeparableConv.Imaging;
using SeparableConv.Tests.Cli;

namespace SeparableConv.Tests.Imaging;

/// <summary>Arrays of every type as pictures: numbers as they are, filtered as floats, written in their own type.</summary>
public sealed class NpyImageTests
{
    private const int Width = 13;
    private const int Height = 9;

    [Fact]
    public void Every_type_is_a_picture_and_comes_back_in_its_own()
    {
        Check<short>(v => (short)(v * 300), ElementType.Int16);
        Check<int>(v => v * 100_000, ElementType.Int32);
        Check<long>(v => v * 100_000, ElementType.Int64);
        Check<uint>(v => (uint)Math.Abs(v * 100_000), ElementType.UInt32);
        Check<ulong>(v => (ulong)Math.Abs(v), ElementType.UInt64);
        Check<sbyte>(v => (sbyte)v, ElementType.Int8);
        Check<Half>(v => (Half)(v / 8.0), ElementType.Float16);
        Check<float>(v => v / 3f, ElementType.Float32);
        Check<byte>(v => (byte)Math.Abs(v), ElementType.UInt8);
        Check<ushort>(v => (ushort)Math.Abs(v * 400), ElementType.UInt16);
        Check<double>(v => v / 4.0, ElementType.Float32);
        Check<bool>(v => v > 10, ElementType.Float32);
    }

    // CT data: differences are negative, and beyond the type they saturate.
    [Fact]
    public void Filtered_integers_are_rounded_half_to_even_and_saturated()
    {
        using var folder = new TempFolder();
        NpyFile.Save(folder["in.npy"], NpyArray.Create<short>([-1024, 3071, 1, 2, 3, 4, short.MaxValue, short.MinValue], 2, 4));
        Assert.Equal(0, CommandRun.Of("filter", folder["in.npy"], "-o", folder["half.npy"], "-k", "1", "--scale", "0.5").Code);
        Assert.Equal([-512, 1536, 0, 1, 2, 2, 16384, -16384], NpyFile.Load(folder["half.npy"]).As<short>().ToArray());
        Assert.Equal(0, CommandRun.Of("filter", folder["in.npy"], "-o", folder["more.npy"], "-k", "1", "--scale", "20").Code);
        Assert.Equal(
            [-20480, short.MaxValue, 20, 40, 60, 80, short.MaxValue, short.MinValue],
            NpyFile.Load(folder["more.npy"]).As<short>().ToArray());
        Assert.Equal(0, CommandRun.Of("filter", folder["in.npy"], "-o", folder["sums.npy"], "-k", "1", "--scale", "0.5", "--float").Code);
        Assert.Equal([-512, 1535.5f, 0.5f, 1, 1.5f, 2, 16383.5f, -16384], NpyFile.Load(folder["sums.npy"]).As<float>().ToArray());

        // An axis of one channel stays, and so does the type.
        NpyFile.Save(folder["axis.npy"], NpyArray.Create<int>([1, 2, 3, 4], 2, 2, 1));
        Assert.Equal(0, CommandRun.Of("filter", folder["axis.npy"], "-o", folder["axes.npy"], "-k", "identity").Code);
        Assert.Equal([2, 2, 1], NpyFile.Load(folder["axes.npy"]).Shape.ToArray());
        Assert.Equal([1, 2, 3, 4], NpyFile.Load(folder["axes.npy"]).As<int>().ToArray());
    }

    [Fact]
    public void Integers_that_floats_do_not_tell_apart_are_refused()
    {
        using var folder = new TempFolder();
        NpyFile.Save(folder["a.npy"], NpyArray.Create<int>([1 << 24, -(1 << 24)], 1, 2));
        Assert.Equal([1 << 24, -(1 << 24)], Assert.IsType<Image<float>>(ImageFile.Load(folder["a.npy"])).Pixels);
        NpyFile.Save(folder["b.npy"], NpyArray.Create<int>([1, (1 << 24) + 1], 1, 2));
        var refusal = Assert.Throws<InvalidDataException>(() => ImageFile.Load(folder["b.npy"]));
        Assert.Contains("one of them 16777217", refusal.Message, StringComparison.Ordinal);
    }

    private static void Check<T>(Func<int, T> number, ElementType written)
        where T : unmanaged
    {
        using var folder = new TempFolder();
        var numbers = Enumerable.Range(0, Width * Height).Select(i => number((i * 7 % 120) - 60)).ToArray();
        var array = NpyArray.Create<T>(numbers, Height, Width);
        NpyFile.Save(folder["in.npy"], array);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.npy"], "-o", folder["out.npy"], "-k", "identity").Code);
        var back = NpyFile.Load(folder["out.npy"]);
        Assert.Equal(written, back.Type);
        Assert.Equal([Height, Width], back.Shape.ToArray());
        Assert.Equal(array.ToFloats(), back.ToFloats());
    }
}
