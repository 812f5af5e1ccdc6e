using System.Text.Json;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Cli;

public sealed class KernelCommandTests
{
    [Fact]
    public void Json_of_an_integer_kernel_is_exact_and_in_order()
    {
        var run = CommandRun.Of("kernel", "3 6 9; 4 8 12; 5 10 15", "--json");
        var json = run.Json();
        Assert.Equal(
            [
                "size", "rank", "singularValues", "terms", "error", "multiplicationsPerPixel", "plan", "reason", "name", "errorBound",
                "kernelError",
            ],
            json.EnumerateObject().Select(p => p.Name));
        Assert.Equal("[3,3]", json.GetProperty("size").GetRawText());
        Assert.Equal(1, json.GetProperty("rank").GetInt32());
        Assert.Equal("[{\"column\":[3,4,5],\"row\":[1,2,3]}]", json.GetProperty("terms").GetRawText());
        Assert.Equal("0", json.GetProperty("error").GetRawText());
        Assert.Equal("{\"dense\":9,\"separable\":6}", json.GetProperty("multiplicationsPerPixel").GetRawText());
        Assert.Equal("separable", json.GetProperty("plan").GetString());
        Assert.Equal(3, json.GetProperty("singularValues").GetArrayLength());
        Assert.Equal(Math.Sqrt(700), json.GetProperty("singularValues")[0].GetDouble(), 12);
    }

    [Fact]
    public void Sobel_separates_into_smoothing_and_difference() => Assert.Equal(
        "[{\"column\":[1,2,1],\"row\":[-1,0,1]}]",
        CommandRun.Of("kernel", "sobel-x", "--json").Json().GetProperty("terms").GetRawText());

    [Theory]
    [InlineData("-1 0 1; -2 0 2; -1 0 1", 1)]
    [InlineData("[[1,2],[2,4]]", 1)]
    [InlineData("1,2;3,4", 2)]
    [InlineData("gauss:15:2.6", 1)]
    [InlineData("GAUSS:size=5", 1)]
    [InlineData("0 1 0; 0 -4 5; 0 1 0", 2)]
    [InlineData("0 0; 0 0", 0)]
    public void Kernels_are_read_as_typed(string text, int rank) =>
        Assert.Equal(rank, CommandRun.Of("kernel", text, "--json").Json().GetProperty("rank").GetInt32());

    [Fact]
    public void Fewer_terms_are_an_approximation_whose_error_is_told()
    {
        var json = CommandRun.Of("kernel", "disk:3", "--rank", "1", "--json").Json();
        Assert.Equal(4, json.GetProperty("rank").GetInt32());
        var term = Assert.Single(json.GetProperty("terms").EnumerateArray());
        var kernel = KernelParser.Parse("disk:3");
        double worst = 0, largest = 0;
        for (var i = 0; i < 7; i++)
        {
            for (var j = 0; j < 7; j++)
            {
                var off = Math.Abs(kernel[i, j] - (term.GetProperty("column")[i].GetDouble() * term.GetProperty("row")[j].GetDouble()));
                (worst, largest) = (worst + off, Math.Max(largest, off));
            }
        }

        Assert.Equal(worst, json.GetProperty("error").GetDouble(), 12);
        Assert.Equal(largest, json.GetProperty("kernelError").GetDouble(), 12);
        Assert.True(json.GetProperty("errorBound").GetDouble() >= worst);
        Assert.Equal("{\"dense\":49,\"separable\":14}", json.GetProperty("multiplicationsPerPixel").GetRawText());
    }

    [Theory]
    [InlineData("0.3", 1)]
    [InlineData("0.1", 2)]
    [InlineData("1e-12", 5)]
    public void An_error_bound_chooses_the_terms(string bound, int terms)
    {
        var json = CommandRun.Of("kernel", "disk:5", "--max-error", bound, "--json").Json();
        Assert.Equal(terms, json.GetProperty("terms").GetArrayLength());
        Assert.InRange(json.GetProperty("error").GetDouble(), 0, double.Parse(bound, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(
            terms switch { 1 => "separable", 2 => "rank:2", _ => json.GetProperty("plan").GetString() },
            json.GetProperty("plan").GetString());
    }

    [Fact]
    public void Text_for_people_has_it_all()
    {
        var run = CommandRun.Of("kernel", "3 6 9; 4 8 12; 5 10 15");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("   4   8  12", run.Output);
        Assert.Contains("column 3 4 5", run.Output);
        Assert.Contains("row    1 2 3", run.Output);
        Assert.Contains("9 dense, 6 in 1 separable term", run.Output);
        Assert.Contains("26.4575 0 0", run.Output);
        Assert.Contains("separable", run.Output);
    }

    [Fact]
    public void Files_are_kernels_too()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["k.txt"], "# comment\n1 2 1\n2 4 2\n1 2 1\n");
        File.WriteAllText(folder["k.csv"], "1,2,1\n2,4,2\n1,2,1\n");
        File.WriteAllText(folder["k.json"], "[[1,2,1],[2,4,2],[1,2,1]]");
        File.WriteAllText(folder["noextension"], "1 2 1; 2 4 2; 1 2 1");
        NpyFile.Save(folder["k.npy"], NpyArray.Create<float>([1, 2, 1, 2, 4, 2, 1, 2, 1], 3, 3));
        foreach (var name in folder.Names)
        {
            var json = CommandRun.Of("kernel", folder[name], "--json").Json();
            Assert.Equal("[{\"column\":[1,2,1],\"row\":[1,2,1]}]", json.GetProperty("terms").GetRawText());
        }
    }

    [Fact]
    public void Npy_kernels_keep_the_precision_they_came_in()
    {
        using var folder = new TempFolder();
        double[] column = [0.1, 0.7, 0.2], row = [0.3, 0.11, 0.59];
        var product = column.SelectMany(c => row.Select(r => c * r)).ToArray();
        NpyFile.Save(folder["float.npy"], NpyArray.Create<float>(Array.ConvertAll(product, v => (float)v), 3, 3));
        NpyFile.Save(folder["rounded.npy"], NpyArray.Create<double>(Array.ConvertAll(product, v => (double)(float)v), 3, 3));
        Assert.Equal(1, Rank(folder["float.npy"]));
        Assert.True(Rank(folder["rounded.npy"]) > 1);

        var gauss = Array.ConvertAll(KernelLibrary.Gauss(15).Values.ToArray(), v => (Half)v);
        NpyFile.Save(folder["half.npy"], NpyArray.Create<Half>(gauss, 15, 15));
        NpyFile.Save(folder["halves.npy"], NpyArray.Create<float>(Array.ConvertAll(gauss, v => (float)v), 15, 15));
        Assert.Equal(1, Rank(folder["half.npy"]));
        Assert.True(Rank(folder["halves.npy"]) > 1);

        static int Rank(string path) => CommandRun.Of("kernel", path, "--json").Json().GetProperty("rank").GetInt32();
    }

    [Fact]
    public void Standard_input_is_a_kernel() => Assert.Equal(
        "[2,2]",
        Read(CommandRun.WithInput("1 2; 3 4"u8.ToArray(), "kernel", "-", "--json")).GetProperty("size").GetRawText());

    [Theory]
    [InlineData("No kernel is called 'soble-x'; did you mean 'sobel-x'", "soble-x")]
    [InlineData("odd", "gauss:4:1")]
    [InlineData("every row needs as many", "1 2; 3")]
    [InlineData("is not a number", "1 x; 3 4")]
    [InlineData("finite", "1 nan; 3 4")]
    [InlineData("empty", "")]
    [InlineData("not found", "missing.txt")]
    public void Bad_kernels_are_refused(string piece, string text) => CommandRun.Of("kernel", text).AssertFails(1, piece);

    [Fact]
    public void Malformed_kernel_files_are_refused_with_their_name()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["a.json"], "[[1,2],[3,");
        File.WriteAllText(folder["b.txt"], "1 2\n3\n");
        File.WriteAllText(folder["c.csv"], "1,,2\n3,4,5\n");
        File.WriteAllText(folder["d.txt"], "");
        File.WriteAllBytes(folder["e.npy"], [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0]);
        NpyFile.Save(folder["f.npy"], NpyArray.Create<float>(new float[8], 2, 2, 2, 1));
        NpyFile.Save(folder["g.npy"], NpyArray.Create<double>([1, double.NaN], 1, 2));
        NpyFile.Save(folder["h.npy"], NpyArray.Create<byte>(new byte[2000], 1, 2000));
        NpyFile.Save(folder["j.npy"], NpyArray.Create<float>([], 0, 2, 2));
        NpyFile.Save(folder["k.npy"], NpyArray.Create<float>([1, 2, 3, float.NaN], 2, 2, 1));
        File.WriteAllText(folder["l.json"], "[[[1,2],[3,4]],5]");
        File.WriteAllText(folder["m.json"], "[[[1,2],[3,4]],[[5,6],[7");
        File.WriteAllText(folder["n.json"], "[[[1,2],[3,4]],[[5,6]]]");
        File.WriteAllBytes(folder["i.txt"], [.. Enumerable.Range(0, 5000).Select(i => (byte)i)]);
        foreach (var name in folder.Names)
            Assert.InRange(CommandRun.Of("kernel", folder[name]).AssertFails(1, folder[name]).Error.Length, 10, 1000);
        CommandRun.Of("kernel", folder.Path + "/nothing.json").AssertFails(1, "nothing.json");
    }

    [Theory]
    [InlineData("--rank", "-1")]
    [InlineData("--rank", "1.5")]
    [InlineData("--max-error", "-0.5")]
    [InlineData("--max-error", "lots")]
    [InlineData("--max-error", "nan")]
    [InlineData("--rnk", "1")]
    public void Malformed_options_are_wrong_usage(string option, string value) =>
        CommandRun.Of("kernel", "disk:3", option, value).AssertFails(2, option, "--help");

    [Fact]
    public void Only_one_option_chooses_the_terms()
    {
        CommandRun.Of("kernel", "disk:3", "--rank", "1", "--max-error", "1").AssertFails(2, "one of them");
        CommandRun.Of("kernel", "disk:3", "--rank", "8").AssertFails(1, "ranks 0 to 7");
    }

    /// <summary>Every name of the catalog, at ranks from none to all: the error told is that of the terms told.</summary>
    [Fact]
    public void Every_named_kernel_is_told_with_the_error_of_its_terms()
    {
        string[] more = ["disk:7.3", "gabor:15:3:30", "motion:15:33", "emboss:2", "log:1.4", "sobel-x:9:2:1", "box:2:5"];
        foreach (var name in KernelCatalog.Definitions.Select(d => d.Name).Concat(more))
        {
            var kernel = KernelParser.Parse(name);
            var decomposition = KernelSeparation.Decompose(kernel);
            var most = Math.Min(kernel.Height, kernel.Width);
            foreach (var rank in (int[])[.. Enumerable.Range(0, Math.Min(most, 3)), decomposition.Rank, most])
            {
                var json = CommandRun.Of("kernel", name, "--rank", $"{rank}", "--json").Json();
                var terms = json.GetProperty("terms").EnumerateArray().ToArray();
                Assert.Equal(Math.Min(rank, decomposition.Rank), terms.Length);
                double sum = 0, squares = 0, largest = 0;
                for (var i = 0; i < kernel.Values.Length; i++)
                {
                    var (y, x) = (i / kernel.Width, i % kernel.Width);
                    var off = Math.Abs(kernel[y, x]
                        - terms.Sum(t => t.GetProperty("column")[y].GetDouble() * t.GetProperty("row")[x].GetDouble()));
                    (sum, squares, largest) = (sum + off, squares + (off * off), Math.Max(largest, off));
                }

                var precision = 1e-13 * kernel.AbsoluteSum;
                Assert.Equal(sum, json.GetProperty("error").GetDouble(), precision);
                Assert.Equal(largest, json.GetProperty("kernelError").GetDouble(), precision);
                Assert.Equal(Math.Sqrt(squares), decomposition.FrobeniusError(rank), precision);
                if (rank >= decomposition.Rank)
                    Assert.InRange(sum, 0, precision);
            }
        }
    }

    [Fact]
    public void Json_of_a_bank_has_its_kernels_and_what_they_share()
    {
        var json = CommandRun.Of("kernel", "sobel-x", "sobel-y", "laplacian", "--json").Json();
        Assert.Equal(["count", "size", "kernels", "denseMultiplicationsPerPixel", "forms"], json.EnumerateObject().Select(p => p.Name));
        Assert.Equal((3, "[3,3]"), (json.GetProperty("count").GetInt32(), json.GetProperty("size").GetRawText()));
        var kernels = json.GetProperty("kernels").EnumerateArray().ToArray();
        Assert.Equal([1, 1, 2], kernels.Select(k => k.GetProperty("rank").GetInt32()));
        Assert.Equal("name rank terms multiplicationsPerPixel error kernelError", Names(kernels[0]));
        Assert.Equal(27, json.GetProperty("denseMultiplicationsPerPixel").GetInt32());
        var forms = json.GetProperty("forms").EnumerateArray().ToArray();
        Assert.Equal("shared terms multiplicationsPerPixel error frobeniusError", Names(forms[0]));
        Assert.Equal(["nothing", "columns", "rows", "kernels"], forms.Select(f => f.GetProperty("shared").GetString()));
        Assert.Equal([4, 3, 3, 3], forms.Select(f => f.GetProperty("terms").GetInt32()));
        Assert.Equal([24, 36, 36, 36], forms.Select(f => f.GetProperty("multiplicationsPerPixel").GetInt32()));
        Assert.All(forms, f => Assert.InRange(f.GetProperty("frobeniusError").GetDouble(), 0, 1e-14));

        static string Names(JsonElement element) => string.Join(' ', element.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void A_file_may_be_a_bank()
    {
        using var folder = new TempFolder();
        float[] values = [1, 2, 2, 4, 1, 0, 0, 1, 3, 4, 3, 4];
        NpyFile.Save(folder["b.npy"], NpyArray.Create<float>(values, 3, 2, 2));
        File.WriteAllText(folder["b.json"], " [ [[1,2],[2,4]], [[1,0],[0,1]],\n [[3,4],[3,4]] ]");
        foreach (var name in folder.Names)
        {
            var kernels = CommandRun.Of("kernel", folder[name], "--json").Json().GetProperty("kernels").EnumerateArray().ToArray();
            Assert.Equal([1, 2, 1], kernels.Select(k => k.GetProperty("rank").GetInt32()));
            Assert.EndsWith(name + "[2]", kernels[2].GetProperty("name").GetString());
            CommandRun.Of("filter", "samples/picture.png", "--kernel", folder[name], "-o", folder["out.png"])
                .AssertFails(1, "3 kernels are in it");
        }

        // One is a kernel like any other; with more it is a part of their bank.
        NpyFile.Save(folder["one.npy"], NpyArray.Create<float>([1, 2, 2, 4], 1, 2, 2));
        Assert.Equal(1, CommandRun.Of("kernel", folder["one.npy"], "--json").Json().GetProperty("rank").GetInt32());
        var both = CommandRun.Of("kernel", folder["one.npy"], folder["b.json"], "1 2; 3 4", "--json").Json();
        Assert.Equal(5, both.GetProperty("count").GetInt32());
        CommandRun.Of("kernel", folder["one.npy"], "box:3").AssertFails(1, "box:3:3 is 3x3", "one size");
    }

    [Fact]
    public void Forms_of_a_bank_have_the_error_of_the_rank_asked_for()
    {
        string[] gabors = ["kernel", "gabor:15:3", "gabor:15:3:45", "gabor:15:3:90", "gabor:15:3:135"];
        var json = CommandRun.Of([.. gabors, "--rank", "1", "--json"]).Json();
        var forms = json.GetProperty("forms").EnumerateArray().ToArray();
        var bound = forms[0].GetProperty("frobeniusError").GetDouble();
        Assert.Equal(4, forms[0].GetProperty("terms").GetInt32());
        Assert.All(forms, f => Assert.InRange(f.GetProperty("frobeniusError").GetDouble(), 0, bound + 1e-12));
        Assert.True(bound > 0.1);

        var within = CommandRun.Of([.. gabors, "--max-error", "0.5", "--json"]).Json();
        Assert.All(within.GetProperty("forms").EnumerateArray(), f => Assert.InRange(f.GetProperty("error").GetDouble(), 0, 0.5));
        CommandRun.Of([.. gabors, "--rank", "16"]).AssertFails(1, "ranks 0 to 15");

        var text = CommandRun.Of([.. gabors, "--rank", "1"]);
        Assert.Equal((0, ""), (text.Code, text.Error));
        foreach (var piece in (string[])["4 kernels, 15x15", "each by itself", "shared columns", "shared rows", "shared kernels", "900"])
            Assert.Contains(piece, text.Output);
    }

    private static JsonElement Read(CommandRun run) => run.Json();
}
