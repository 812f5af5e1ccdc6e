using System.Numerics.Tensors;
using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;

namespace SeparableConv.Tests.Cli;

public sealed class FilterCommandTests
{
    private const string Gauss = "gauss:5:1.2";

    [Fact]
    public void Json_tells_plan_counts_and_times()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(40, 30, 3), folder["in.png"]);
        var json = CommandRun.Of(
            "filter", folder["in.png"], "-o", folder["out.png"], "--kernel", Gauss, "--repeat", "3", "--threads", "1", "--json").Json();
        Assert.Equal(
            [
                "input", "output", "size", "type", "kernel", "plan", "reason", "multiplicationsPerPixel", "errorBound", "threads",
                "milliseconds",
            ],
            json.EnumerateObject().Select(p => p.Name));
        Assert.Equal("[30,40,3]", json.GetProperty("size").GetRawText());
        Assert.Equal("uint8", json.GetProperty("type").GetString());
        Assert.Equal("separable", json.GetProperty("plan").GetString());
        Assert.Equal("{\"dense\":25,\"chosen\":10}", json.GetProperty("multiplicationsPerPixel").GetRawText());
        Assert.Equal("0", json.GetProperty("errorBound").GetRawText());
        Assert.Equal(["min", "median"], json.GetProperty("milliseconds").EnumerateObject().Select(p => p.Name));
        Assert.True(json.GetProperty("milliseconds").GetProperty("min").GetDouble() > 0);
        Assert.False(
            CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", Gauss, "--json")
                .Json().TryGetProperty("milliseconds", out _));
    }

    [Fact]
    public void Text_tells_plan_multiplications_time_and_output()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(40, 30, 3), folder["in.png"]);
        var run = CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "--kernel", Gauss);
        Assert.Equal((0, ""), (run.Code, run.Error));
        foreach (var piece in new[] { "40x30x3 uint8", "separable", "10 for each channel of a pixel; dense 25", " ms", folder["out.png"] })
            Assert.Contains(piece, run.Output);
        Assert.DoesNotContain("why", run.Output);
    }

    [Fact]
    public void Explain_gives_the_reason_and_times_dense_beside_the_plan()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(40, 30, 3), folder["in.png"]);
        var text = CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "--kernel", Gauss, "--explain").Output;
        Assert.Matches(@"(?m)^why +gauss:5:1\.2 \(5x5\) has rank 1", text);
        Assert.Matches(@"(?m)^separable +10 .* ms +[\d.]+ ms +yes$", text);
        Assert.Matches(@"(?m)^dense +25 .* ms +[\d.]+ ms$", text);
        Assert.Contains("times as fast", text);

        var json = CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "--kernel", Gauss, "--explain", "--json").Json();
        var ways = json.GetProperty("ways").EnumerateArray().ToArray();
        Assert.Equal(["dense", "separable"], ways.Select(w => w.GetProperty("plan").GetString()!).Order());
        Assert.Equal("separable", Assert.Single(ways, w => w.GetProperty("chosen").GetBoolean()).GetProperty("plan").GetString());
        Assert.All(ways, w => Assert.True(w.GetProperty("milliseconds").GetProperty("median").GetDouble() > 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Files_hold_what_the_library_computes(int channels)
    {
        Same<byte>(".npy", channels);
        Same<ushort>(".npy", channels);
        Same<float>(".npy", channels);
        Same<byte>(".png", channels);
        Same<ushort>(".png", channels);

        static void Same<T>(string extension, int channels)
            where T : unmanaged, System.Numerics.INumber<T>
        {
            using var folder = new TempFolder();
            var image = TestImages.Noise<T>(37, 23, channels);
            ImageFile.Save(image, folder["in" + extension]);
            var run = CommandRun.Of(
                "filter", folder["in" + extension], "-o", folder["out" + extension], "-k", "1 2 3; -4 5 6; 7 8 -9",
                "--border", "wrap", "--convolve", "--scale", "0.05", "--offset", "3");
            Assert.Equal((0, ""), (run.Code, run.Error));
            var options = new FilterOptions { Border = BorderMode.Wrap, Convolve = true, Scale = 0.05, Offset = 3 };
            TestImages.AssertSame(Filtered(image, "1 2 3; -4 5 6; 7 8 -9", options), ImageFile.Load(folder["out" + extension]));
        }
    }

    [Theory]
    [InlineData("reflect101", BorderMode.Reflect101, 0)]
    [InlineData("reflect-101", BorderMode.Reflect101, 0)]
    [InlineData("reflect", BorderMode.Reflect, 0)]
    [InlineData("replicate", BorderMode.Replicate, 0)]
    [InlineData("wrap", BorderMode.Wrap, 0)]
    [InlineData("constant", BorderMode.Constant, 0)]
    [InlineData("constant:200", BorderMode.Constant, 200)]
    public void Borders_go_by_name(string text, BorderMode mode, double value)
    {
        using var folder = new TempFolder();
        var image = TestImages.Noise<byte>(9, 7, 1);
        ImageFile.Save(image, folder["in.npy"]);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.npy"], "-o", folder["out.npy"], "-k", "box:5", "--border", text).Code);
        TestImages.AssertSame(
            Filtered(image, "box:5", new FilterOptions { Border = mode, ConstantValue = value }), ImageFile.Load(folder["out.npy"]));
    }

    [Theory]
    [InlineData("auto", "separable")]
    [InlineData("dense", "dense")]
    [InlineData("separable", "separable")]
    [InlineData("rank:1", "separable")]
    public void Plans_can_be_asked_for(string plan, string chosen)
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(40, 30, 3), folder["in.png"]);
        var json = CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", "gauss:9", "--plan", plan, "--json").Json();
        Assert.Equal(chosen, json.GetProperty("plan").GetString());
    }

    [Fact]
    public void An_allowed_error_drops_terms()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(40, 30, 3), folder["in.png"]);
        var json = CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", "disk:6", "--max-error", "60", "--json").Json();
        Assert.NotEqual("dense", json.GetProperty("plan").GetString());
        Assert.InRange(json.GetProperty("errorBound").GetDouble(), 1, 60);
    }

    [Fact]
    public void Gray_is_luma_and_keeps_alpha()
    {
        using var folder = new TempFolder();
        byte[] pixels = [255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30, 12, 34, 56, 40];
        ImageFile.Save(Image.Create(4, 1, 4, pixels), folder["in.png"]);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", "identity", "--gray").Code);
        var gray = Assert.IsType<Image<byte>>(ImageFile.Load(folder["out.png"]));
        Assert.Equal([76, 10, 150, 20, 29, 30, 30, 40], gray.Pixels);
    }

    [Fact]
    public void Alpha_is_filtered_only_when_asked()
    {
        using var folder = new TempFolder();
        var image = TestImages.Noise<byte>(11, 9, 4);
        ImageFile.Save(image, folder["in.png"]);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["kept.png"], "-k", "box").Code);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["filtered.png"], "-k", "box", "--filter-alpha").Code);
        Assert.Equal(Alpha(image), Alpha(ImageFile.Load(folder["kept.png"])));
        Assert.NotEqual(Alpha(image), Alpha(ImageFile.Load(folder["filtered.png"])));

        static byte[] Alpha(Image image) => [.. ((Image<byte>)image).Pixels.Where((_, i) => i % 4 == 3)];
    }

    [Fact]
    public void Float_leaves_results_unrounded_and_signed()
    {
        using var folder = new TempFolder();
        ImageFile.Save(Image.Create<byte>(3, 1, 1, [0, 100, 50]), folder["in.png"]);
        Assert.Equal(
            0,
            CommandRun.Of("filter", folder["in.png"], "-o", folder["out.npy"], "-k", "-0.5 0 0.25", "--border", "constant", "--float")
                .Code);
        Assert.Equal([25f, 12.5f, -50f], Assert.IsType<Image<float>>(ImageFile.Load(folder["out.npy"])).Pixels);
        CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", "sobel-x", "--float").AssertFails(1, "out.png", ".npy");
        Assert.Equal(["in.png", "out.npy"], folder.Names);
    }

    [Fact]
    public void The_rank_of_an_array_s_shape_is_kept()
    {
        using var folder = new TempFolder();
        int[][] shapes = [[4, 5], [4, 5, 1], [4, 5, 2], [1, 1, 1]];
        foreach (var shape in shapes)
        {
            NpyFile.Save(folder["in.npy"], NpyArray.Create<ushort>(new ushort[shape.Aggregate((a, b) => a * b)], shape));
            Assert.Equal(0, CommandRun.Of("filter", folder["in.npy"], "-o", folder["out.npy"], "-k", Gauss).Code);
            Assert.Equal(shape, NpyFile.Load(folder["out.npy"]).Shape.ToArray());
            var piped = CommandRun.WithInput(File.ReadAllBytes(folder["in.npy"]), "filter", "-", "-o", "-", "-k", Gauss);
            Assert.Equal(File.ReadAllBytes(folder["out.npy"]), piped.Bytes);
        }
    }

    [Fact]
    public void Standard_input_and_output_are_pictures()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(40, 30, 3), folder["in.png"]);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["out.png"], "-k", Gauss).Code);
        var run = CommandRun.WithInput(File.ReadAllBytes(folder["in.png"]), "filter", "-", "-o", "-", "-k", Gauss);
        Assert.Equal((0, ""), (run.Code, run.Output));
        Assert.Equal(File.ReadAllBytes(folder["out.png"]), run.Bytes);
        Assert.Contains("separable", run.Error);

        var npy = CommandRun.Of("filter", folder["in.png"], "-o", "-", "-k", Gauss, "--format", "npy");
        TestImages.AssertSame(ImageFile.Load(folder["out.png"]), ImageFile.Load(new MemoryStream(npy.Bytes)));
    }

    [Fact]
    public void A_picture_can_replace_itself()
    {
        using var folder = new TempFolder();
        var image = TestImages.Smooth<byte>(40, 30, 3);
        ImageFile.Save(image, folder["in.png"]);
        Assert.Equal(0, CommandRun.Of("filter", folder["in.png"], "-o", folder["in.png"], "-k", Gauss).Code);
        TestImages.AssertSame(Filtered(image, Gauss, new FilterOptions()), ImageFile.Load(folder["in.png"]));
        Assert.Equal(["in.png"], folder.Names);
    }

    private static Image Filtered(Image image, string kernel, FilterOptions options) => image.Filter(KernelParser.Parse(kernel), options);
}
