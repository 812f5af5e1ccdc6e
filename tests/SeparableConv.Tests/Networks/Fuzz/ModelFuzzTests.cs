using SeparableConv.Tests.Support.Fuzz;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>
/// Damaged models are refused in one line, or read and run: nothing crashes, hangs or takes memory out of proportion to the file. How to
/// try more of them, and one of them again, is in docs/fuzzing.md.
/// </summary>
public sealed class ModelFuzzTests
{
    [Fact]
    public void Good_models_are_run()
    {
        var fuzzer = new ModelFuzzer(0);
        foreach (var model in FuzzSeeds.Own())
        {
            var network = model.IsTFLite ? TFLiteReader.Read(model.Bytes) : OnnxReader.Read(new MemoryStream(model.Bytes));
            Assert.NotEmpty(network.Outputs);
            Assert.True(fuzzer.Try(model.Bytes) == FuzzOutcome.Run, model.Name);
        }
    }

    [Fact]
    public void Damaged_models_are_refused_or_run()
    {
        var fuzzer = new ModelFuzzer(FuzzRun.Seed);
        new FuzzRun("models").Check(fuzzer.Model, fuzzer.Try);
    }
}
