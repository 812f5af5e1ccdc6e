using System.Text.Json;
using SeparableConv.Imaging;
using SeparableConv.Tests.Imaging;

namespace SeparableConv.Tests.Cli;

public sealed class CostCommandTests
{
    private static readonly string[] Forms = ["standard", "depthwise", "pointwise", "separable"];

    [Fact]
    public void Json_has_the_article_s_numbers_in_order()
    {
        var json = CommandRun.Of("cost", "12x12x3", "--kernel", "5x5", "--filters", "256", "--json").Json();
        Assert.Equal(["input", "output", .. Forms, "ratio", "warning"], json.EnumerateObject().Select(p => p.Name));
        Assert.Equal("[12,12,3]", json.GetProperty("input").GetRawText());
        Assert.Equal("[8,8,256]", json.GetProperty("output").GetRawText());
        AssertForm(json, "standard", 1_228_800, 19_200);
        AssertForm(json, "depthwise", 4_800, 75);
        AssertForm(json, "pointwise", 49_152, 768);
        AssertForm(json, "separable", 53_952, 843);
        Assert.Equal(1_228_800.0 / 53_952, json.GetProperty("ratio").GetDouble());
    }

    [Fact]
    public void Each_form_tells_its_bytes_and_shape()
    {
        var json = CommandRun.Of("cost", "12x12x3", "--kernel", "5", "--filters", "256", "--json").Json();
        foreach (var form in Forms)
        {
            Assert.Equal(
                ["multiplications", "parameters", "macs", "additions", "bytesMoved", "peakActivationBytes", "output"],
                json.GetProperty(form).EnumerateObject().Select(p => p.Name));
        }

        var standard = json.GetProperty("standard");
        Assert.Equal(4 * ((12 * 12 * 3) + 19_200 + (8 * 8 * 256)), standard.GetProperty("bytesMoved").GetInt64());
        Assert.Equal(4 * ((12 * 12 * 3) + (8 * 8 * 256)), standard.GetProperty("peakActivationBytes").GetInt64());
        Assert.Equal("[8,8,3]", json.GetProperty("depthwise").GetProperty("output").GetRawText());
    }

    [Theory]
    [InlineData("--stride", "2", "[4,4,8]")]
    [InlineData("--stride", "1x2", "[8,4,8]")]
    [InlineData("--padding", "same", "[12,12,8]")]
    [InlineData("--padding", "same-lower", "[12,12,8]")]
    [InlineData("--padding", "2,2,0,1", "[12,9,8]")]
    [InlineData("--dilation", "2", "[4,4,8]")]
    [InlineData("--dilation", "1x2", "[8,4,8]")]
    public void Options_change_the_output(string option, string value, string output)
    {
        var json = CommandRun.Of("cost", "12x12x3", "--kernel", "5x5", "--filters", "8", option, value, "--json").Json();
        Assert.Equal(output, json.GetProperty("output").GetRawText());
    }

    [Fact]
    public void Depth_multiplier_widens_the_depthwise_half()
    {
        var json = CommandRun.Of("cost", "12x12x3", "--kernel", "5x5", "--filters", "256", "--depth-multiplier", "2", "--json").Json();
        Assert.Equal("[8,8,6]", json.GetProperty("depthwise").GetProperty("output").GetRawText());
        AssertForm(json, "depthwise", 9_600, 150);
        AssertForm(json, "pointwise", 98_304, 1_536);
    }

    [Fact]
    public void Table_is_plain_aligned_lines_when_redirected()
    {
        var run = CommandRun.Of("cost", "12x12x3", "--kernel", "5x5", "--filters", "256");
        Assert.Equal(0, run.Code);
        var lines = run.Output.Split('\n');
        var table = lines[1..6];
        Assert.All(["form", .. Forms], form => Assert.Contains(table, line => line.StartsWith(form, StringComparison.Ordinal)));
        Assert.All(table, line => Assert.Equal(table[0].TrimEnd().Length, line.TrimEnd().Length));
        Assert.Contains("1,228,800", table[1]);
        Assert.StartsWith("ratio 22.7758", lines[6]);
        Assert.All(run.Output, c => Assert.InRange(c, '\n', '~'));
    }

    [Theory]
    [InlineData("56x56x3", "1", "only 3 channels lie", "layers of 4 and 8 lost 4.1 points")]
    [InlineData("56x56x1", "1", "only 1 channel lies", "layers of 2 and 4 lost 4.8 points")]
    [InlineData("56x56x5", "3", "only 15 channels lie", "layers of 16 and 32 lost 2.6 points", "0.9 with --depth-multiplier 2")]
    [InlineData("56x56x8", "2")]
    [InlineData("56x56x64", "1")]
    public void A_layer_with_few_channels_between_its_halves_is_warned_of(string input, string multiplier, params string[] pieces)
    {
        var run = CommandRun.Of("cost", input, "--kernel", "3", "--filters", "64", "--depth-multiplier", multiplier);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Equal(pieces.Length > 0, run.Output.Contains("warning: ", StringComparison.Ordinal));
        Assert.All(pieces, piece => Assert.Contains(piece, run.Output));
    }

    [Fact]
    public void Measure_puts_times_beside_counts()
    {
        var json = CommandRun.Of(
            "cost", "20x20x8", "--kernel", "3", "--filters", "16", "--depth-multiplier", "2",
            "--measure", "--threads", "1", "--json").Json();
        foreach (var form in Forms.Append("fused"))
        {
            var times = json.GetProperty(form).GetProperty("milliseconds");
            Assert.InRange(times.GetProperty("min").GetDouble(), double.Epsilon, times.GetProperty("median").GetDouble());
            Assert.True(json.GetProperty(form).GetProperty("gigaflops").GetDouble() > 0);
        }

        Assert.True(json.GetProperty("timeRatio").GetDouble() > 0);
        Assert.True(json.GetProperty("fusedTimeRatio").GetDouble() > 0);
        Assert.Equal("0", json.GetProperty("maxDifference").GetRawText());
        Assert.Equal(1, json.GetProperty("threads").GetInt32());
    }

    [Fact]
    public void The_standard_form_can_be_measured_tap_by_tap()
    {
        string[] layer = ["cost", "20x20x32", "--kernel", "3", "--filters", "32", "--padding", "same", "--json", "--direct"];
        var standard = CommandRun.Of([.. layer, "--measure", "--threads", "1"]).Json().GetProperty("standard");
        Assert.True(standard.GetProperty("milliseconds").GetProperty("min").GetDouble() > 0);
        CommandRun.Of(layer).AssertFails(2, "--direct changes nothing without --measure.");
    }

    [Fact]
    public void A_picture_s_pixels_are_the_input()
    {
        using var folder = new TempFolder();
        ImageFile.Save(TestImages.Smooth<byte>(24, 17, 3), folder["in.png"]);
        var run = CommandRun.Of("cost", folder["in.png"], "--kernel", "3x3", "--filters", "16", "--padding", "same", "--measure", "--json");
        var json = run.Json();
        Assert.Equal(folder["in.png"], json.GetProperty("source").GetString());
        Assert.Equal("[17,24,3]", json.GetProperty("input").GetRawText());
        Assert.Equal("0", json.GetProperty("maxDifference").GetRawText());

        var text = CommandRun.Of("cost", folder["in.png"], "--kernel", "3x3", "--filters", "16", "--measure");
        Assert.Contains("fused", text.Output);
        Assert.Contains("GFLOP/s", text.Output);
        Assert.Contains("largest difference of fused and separable: 0", text.Output);
    }

    [Fact]
    public void Counting_takes_no_memory_and_measuring_refuses_what_does_not_fit()
    {
        var json = CommandRun.Of("cost", "1000000x1000000x3", "--kernel", "3", "--filters", "64", "--json").Json();
        Assert.Equal(64L * 27 * 999_998 * 999_998, json.GetProperty("standard").GetProperty("multiplications").GetInt64());
        CommandRun.Of("cost", "1000000x1000000x3", "--kernel", "3", "--filters", "64", "--measure")
            .AssertFails(1, "memory", "--measure", "GB");
    }

    [Theory]
    [InlineData(2, "HxWxC", "12x12")]
    [InlineData(2, "HxWxC", "12x0x3")]
    [InlineData(2, "HxWxC", "12x-2x3")]
    [InlineData(2, "HxWxC", "1.5x2x3")]
    [InlineData(1, "not found", "missing.png")]
    [InlineData(1, "larger than input", "4x12x3")]
    [InlineData(1, "too large", "2000000000x2000000000x2000000000")]
    public void Bad_inputs_are_refused(int code, string piece, string input) =>
        CommandRun.Of("cost", input, "--kernel", "5x5", "--filters", "256").AssertFails(code, piece);

    [Theory]
    [InlineData("--kernel", "0x5")]
    [InlineData("--kernel", "5x5x5")]
    [InlineData("--kernel", "five")]
    [InlineData("--filters", "0")]
    [InlineData("--filters", "-3")]
    [InlineData("--filters", "99999999999")]
    [InlineData("--stride", "0")]
    [InlineData("--stride", "1,2")]
    [InlineData("--padding", "full")]
    [InlineData("--padding", "1,1")]
    [InlineData("--padding", "1,1,1,-1")]
    [InlineData("--dilation", "-1")]
    [InlineData("--depth-multiplier", "0")]
    [InlineData("--threads", "0")]
    [InlineData("--no-such-option", "1")]
    public void Malformed_options_are_wrong_usage(string option, string value)
    {
        var args = new List<string> { "cost", "12x12x3", option, value };
        foreach (var (name, given) in new[] { ("--kernel", "3"), ("--filters", "8") })
        {
            if (name != option)
                args.AddRange([name, given]);
        }

        CommandRun.Of([.. args]).AssertFails(2, option, "See sepconv cost --help.");
    }

    private static void AssertForm(JsonElement json, string form, long multiplications, long parameters)
    {
        Assert.Equal(multiplications, json.GetProperty(form).GetProperty("multiplications").GetInt64());
        Assert.Equal(multiplications, json.GetProperty(form).GetProperty("macs").GetInt64());
        Assert.Equal(parameters, json.GetProperty(form).GetProperty("parameters").GetInt64());
    }
}
