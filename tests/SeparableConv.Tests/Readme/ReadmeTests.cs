using System.Text.RegularExpressions;
using SeparableConv.Tests.Cli;

namespace SeparableConv.Tests.Readme;

/// <summary>The README says what is true: its code compiles, its commands run.</summary>
public sealed partial class ReadmeTests
{
    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = FindRoot();

    private static string Readme => File.ReadAllText(Path.Combine(Root, "README.md"));

    [Fact]
    public void Every_line_of_code_stands_in_the_compiled_examples()
    {
        // The README names its files; the tests put what they write into a folder of its own, and train less.
        var code = File.ReadAllText(Path.Combine(Root, "tests", "SeparableConv.Tests", "Readme", "ReadmeExamples.cs"))
            .Replace("Load(from)", "Load(\"samples/picture.png\")", StringComparison.Ordinal)
            .Replace("Shapes(600,", "Shapes(12_000,", StringComparison.Ordinal)
            .Replace("Epochs = 1,", "Epochs = 15,", StringComparison.Ordinal)
            .Replace("ToNetwork(), file)", "ToNetwork(), \"shapes.onnx\")", StringComparison.Ordinal)
            .Replace("Network, smaller)", "Network, \"smaller.onnx\")", StringComparison.Ordinal)
            .Replace("(x), file)", "(x), \"model.onnx\")", StringComparison.Ordinal)
            .Replace("Load(file)", "Load(\"model.onnx\")", StringComparison.Ordinal)
            .Replace("Load(labels)", "Load(\"labels.txt\")", StringComparison.Ordinal)
            .Replace("Save(to)", "Save(\"blurred.png\")", StringComparison.Ordinal)
            .Replace("Save(edges)", "Save(\"edges.png\")", StringComparison.Ordinal);
        var examples = Lines(code).ToHashSet();
        var blocks = CodeBlock().Matches(Readme);
        Assert.True(blocks.Count >= 4, $"The README has {blocks.Count} blocks of C#.");
        foreach (Match block in blocks)
        {
            foreach (var line in Lines(block.Groups[1].Value))
                Assert.Contains(line, examples);
        }
    }

    [Fact]
    public void Every_command_runs()
    {
        var commands = Command().Matches(Readme).Select(match => match.Groups[1].Value.Trim()).Distinct().ToList();
        Assert.True(commands.Count >= 4, $"The README has {commands.Count} commands.");
        using var folder = new TempFolder();
        foreach (var command in commands)
        {
            var run = CommandRun.Of([.. Arguments(command, folder)]);
            Assert.True(run.Code == 0, $"./sepconv {command}: exit code {run.Code}: {run.Error}");
        }
    }

    [Fact]
    public void Every_file_that_is_linked_to_is_there()
    {
        foreach (var document in Directory.GetFiles(Root, "*.md").Concat(Directory.GetFiles(Path.Combine(Root, "docs"), "*.md")))
        {
            foreach (Match link in Link().Matches(File.ReadAllText(document)))
            {
                var target = Path.Combine(Path.GetDirectoryName(document)!, link.Groups[1].Value);
                Assert.True(Path.Exists(target), $"{document} links to {link.Groups[1].Value}, which is not there.");
            }
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "SeparableConv.slnx")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No SeparableConv.slnx above {AppContext.BaseDirectory}.");
    }

    private static IEnumerable<string> Lines(string code) =>
        code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith("using ", StringComparison.Ordinal));

    // As a shell would cut it; samples are the repository's, what is written goes to the folder and is read there again. A training of a
    // second runs as well as one of minutes, and one of two steps as well as one of sixty epochs.
    private static IEnumerable<string> Arguments(string command, TempFolder folder)
    {
        var previous = "";
        foreach (Match match in Argument().Matches(command))
        {
            var argument = match.Value.Trim('"');
            if (argument.StartsWith("samples/", StringComparison.Ordinal))
                argument = Path.Combine(Root, argument);
            if (previous == "--minutes")
                argument = "0.02";
            if (previous == "--epochs")
                argument = "2";
            if (previous == "-o")
                argument = folder[Path.GetFileName(argument)];
            yield return argument == "--epochs" ? "--steps" : File.Exists(folder[argument]) ? folder[argument] : argument;
            previous = match.Value;
        }
    }

    [GeneratedRegex("```csharp\r?\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"^ *\./sepconv (.*)$", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("\"[^\"]*\"|[^ ]+")]
    private static partial Regex Argument();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]+)[^)]*\)")]
    private static partial Regex Link();
}
