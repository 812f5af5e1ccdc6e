using System.Xml.Linq;

namespace SeparableConv.Tests.Cli;

/// <summary><c>sepconv train --compare</c>.</summary>
public sealed class CompareTests
{
    private static readonly string[] Small =
    [
        "train", "shapes:240:12", "--compare", "--widths", "4,2", "--multipliers", "1,3", "--seeds", "2", "--steps", "3", "--batch", "32",
    ];

    [Fact]
    public void Every_form_is_trained_with_every_seed_and_put_beside_the_standard_one()
    {
        using var folder = new TempFolder();
        var json = CommandRun.Of([.. Small, "--json", "-o", folder["out.html"]]).Json();
        Assert.Equal(["out.html", "out.runs.jsonl"], folder.Names);
        var networks = json.GetProperty("networks").EnumerateArray().ToArray();
        Assert.Equal(
            ["standard 2 1", "separable 2 1", "separable 2 3", "standard 4 1", "separable 4 1", "separable 4 3"],
            networks.Select(network => $"{network.GetProperty("convolutions").GetString()} {network.GetProperty("filters").GetInt32()} "
                + $"{network.GetProperty("depthMultiplier").GetInt32()}"));
        foreach (var network in networks)
        {
            var accuracies = network.GetProperty("trainings").EnumerateArray()
                .Select(training => training.GetProperty("accuracy").GetDouble()).ToArray();
            Assert.Equal(2, accuracies.Length);
            Assert.Equal(accuracies.Average(), network.GetProperty("accuracy").GetDouble(), 12);
            Assert.Equal(
                Math.Abs(accuracies[0] - accuracies[1]) / Math.Sqrt(2), network.GetProperty("deviation").GetDouble(), 12);
            var standard = networks.First(twin => twin.GetProperty("filters").GetInt32() == network.GetProperty("filters").GetInt32());
            if (network.TryGetProperty("toStandard", out var toStandard))
            {
                Assert.Equal(
                    network.GetProperty("accuracy").GetDouble() - standard.GetProperty("accuracy").GetDouble(), toStandard.GetDouble(), 12);
            }
            else
            {
                Assert.Equal("standard", network.GetProperty("convolutions").GetString());
            }
        }

        // Of these only one lies between the two standard networks: on the line through them, over the logarithm of parameters.
        var (low, high, between) = (networks[0], networks[3], networks[5]);
        Assert.InRange(Parameters(between), Parameters(low), Parameters(high));
        var share = Math.Log(Parameters(between) / Parameters(low)) / Math.Log(Parameters(high) / Parameters(low));
        var expected = Accuracy(low) + (share * (Accuracy(high) - Accuracy(low)));
        Assert.Equal(Accuracy(between) - expected, between.GetProperty("atEqualParameters").GetDouble(), 12);

        // Each is the training that it would be alone.
        var alone = CommandRun.Of(
            "train", "shapes:240:12", "--model", "cnn:separable:4", "--steps", "3", "--batch", "32", "--seed", "1", "--json", "-o",
            folder["alone.onnx"]).Json();
        var compared = networks[4].GetProperty("trainings")[1];
        Assert.Equal(alone.GetProperty("loss").GetDouble(), compared.GetProperty("loss").GetDouble());
        Assert.Equal(alone.GetProperty("parameters").GetInt64(), compared.GetProperty("parameters").GetInt64());
        Assert.Equal(alone.GetProperty("macs").GetInt64(), compared.GetProperty("macs").GetInt64());

        static double Parameters(System.Text.Json.JsonElement network) => network.GetProperty("parameters").GetDouble();
        static double Accuracy(System.Text.Json.JsonElement network) => network.GetProperty("accuracy").GetDouble();
    }

    [Fact]
    public void The_page_is_whole_and_has_three_plots_and_a_row_a_network()
    {
        using var folder = new TempFolder();
        var run = CommandRun.Of([.. Small, "-o", folder["out.html"]]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("separable x3, 4 filters, seed 1: accuracy ", run.Output);
        Assert.Contains("at equal parameters", run.Output);
        var page = XDocument.Parse(
            File.ReadAllText(folder["out.html"]).Replace("<!DOCTYPE html>", "", StringComparison.Ordinal));
        Assert.Equal(3, page.Descendants().Count(element => element.Name.LocalName == "svg"));
        Assert.Equal(7, page.Descendants("table").First().Elements("tr").Count());
        var names = page.Descendants().Attributes("id").Select(a => a.Value).ToArray();
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void A_comparison_goes_on_from_the_trainings_that_are_done()
    {
        using var folder = new TempFolder();
        string[] command = [.. Small, "-o", folder["out.html"]];
        Assert.Equal(0, CommandRun.Of(command).Code);
        var runs = folder["out.runs.jsonl"];
        var lines = File.ReadAllLines(runs);
        var losses = lines.Select(Loss).Order().ToArray();
        Assert.Equal(13, lines.Length);

        // Seconds that no training takes tell which were not done again. A damaged line is.
        lines[1] = lines[1].Replace("\"seconds\":", "\"seconds\":9", StringComparison.Ordinal);
        lines[2] = lines[2][..20];
        File.WriteAllLines(runs, lines[..7]);
        var rest = CommandRun.Of([.. command, "--resume"]);
        Assert.Equal((0, ""), (rest.Code, rest.Error));
        Assert.Contains("; 5 are done", rest.Output);
        var again = File.ReadAllLines(runs);
        Assert.Contains(lines[1], again);
        Assert.Equal(losses, again.Select(Loss).Order());

        CommandRun.Of([.. command, "--resume", "--lr", "0.5"]).AssertFails(1, "other options");
        File.Delete(runs);
        CommandRun.Of([.. command, "--resume"]).AssertFails(1, "not found");

        static string Loss(string line) => line[(line.IndexOf("\"loss\"", StringComparison.Ordinal) + 1)..];
    }

    [Theory]
    [InlineData("--widths changes nothing", "--widths", "2", "-o", "x.onnx")]
    [InlineData("OUT.html", "--compare", "-o", "x.onnx")]
    [InlineData("cnn:residual", "--compare", "-o", "x.html", "--model", "ds-cnn")]
    [InlineData("--widths", "--compare", "-o", "x.html", "--model", "cnn:separable:8")]
    [InlineData("--checkpoint", "--compare", "-o", "x.html", "--checkpoint", "x.safetensors")]
    [InlineData("whole number", "--compare", "-o", "x.html", "--widths", "2,x")]
    [InlineData("4096", "--compare", "-o", "x.html", "--multipliers", "5000")]
    public void Options_that_do_not_go_together_are_refused(string piece, params string[] options)
    {
        CommandRun.Of(["train", "shapes:40:12", .. options]).AssertFails(2, piece);
    }

    [Fact]
    public void Usual_widths_and_multipliers_are_compared_where_none_are_given()
    {
        using var folder = new TempFolder();
        var json = CommandRun.Of(
            "train", "shapes:240:8", "--compare", "--seeds", "1", "--steps", "1", "--batch", "20", "--json", "-o", folder["out.html"])
            .Json();
        Assert.Equal(15, json.GetProperty("networks").GetArrayLength());
    }

    [Fact]
    public void A_training_that_diverges_is_named()
    {
        using var folder = new TempFolder();
        var run = CommandRun.Of(
            [.. Small, "-o", folder["out.html"], "--optimizer", "sgd", "--lr", "1e30"]);
        Assert.Equal(1, run.Code);
        Assert.Contains("sepconv: standard, 2 filters, seed 0: ", run.Error);
        Assert.False(File.Exists(folder["out.html"]));
    }
}
