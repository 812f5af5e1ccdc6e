using SeparableConv.Tests.Cli;

namespace SeparableConv.Tests.Readme;

/// <summary>samples/TrainScreen, where there is no screen.</summary>
public sealed class TrainScreenTests
{
    [Fact]
    public async Task A_training_prints_lines_and_saves()
    {
        using var folder = new TempFolder();
        var run = await CommandRun.StartAsync(
            "dotnet", [], "exec", Path.Combine(AppContext.BaseDirectory, "TrainScreen.dll"), "20", folder["out.onnx"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches(@"(?m)^step 20/20  loss \d\.\d{3}  accuracy \d+\.\d %", run.Output);
        Assert.Matches(@"(?m)^\d+\.\d % of 1200 unseen pictures right$", run.Output);
        Assert.Equal(12, ModelFile.Load(folder["out.onnx"]).Outputs[0].Shape[^1]);
    }
}
