using System.Globalization;
using SeparableConv.Cli.Output;
using SeparableConv.Tests.Readme;

namespace SeparableConv.Tests.Cli;

/// <summary>What cost and inspect warn with is what docs/training.md says was measured.</summary>
public sealed class SeparationEvidenceTests
{
    [Fact]
    public void The_figures_are_those_of_the_docs()
    {
        var table = File.ReadLines(Path.Combine(ReadmeTests.Root, "docs", "training.md"))
            .SkipWhile(line => !line.StartsWith("Fashion-MNIST, ", StringComparison.Ordinal))
            .SkipWhile(line => !line.StartsWith('|'))
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|').Select(cell => cell.Trim()).ToArray())
            .ToArray();
        foreach (var network in SeparationEvidence.Networks)
        {
            var one = Row("separable");
            Assert.Equal(network.Parameters, long.Parse(one[3], NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
            Assert.Equal(network.Lost, -double.Parse(one[8], CultureInfo.InvariantCulture));
            Assert.Equal(network.LostWithTwo, -double.Parse(Row("separable x2")[8], CultureInfo.InvariantCulture));

            string[] Row(string kind) => table.Single(
                row => row[1] == kind && row[2] == network.Filters.ToString(CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void The_parameters_are_those_of_the_networks()
    {
        foreach (var network in SeparationEvidence.Networks)
            Assert.Equal(network.Parameters, SmallCnn.Create(new(28, 28, 1), network.Filters).ParameterCount);
    }
}
