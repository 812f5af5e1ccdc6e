using SeparableConv.Tests.Golden;
using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>Learning rates from step to step, against PyTorch's schedules.</summary>
public sealed class LearningRateScheduleTests
{
    private const int StepsPerEpoch = 5;

    private static readonly Dictionary<string, LearningRateSchedule> Schedules = new()
    {
        ["step"] = LearningRateSchedule.Step(3, 0.5),
        ["cosine"] = LearningRateSchedule.Cosine(),
        ["cosine_warm"] = LearningRateSchedule.Cosine(0.25, 0.05),
        ["one_cycle"] = LearningRateSchedule.OneCycle(),
        ["one_cycle_rise"] = LearningRateSchedule.OneCycle(0.45),
        ["one_cycle_short"] = LearningRateSchedule.OneCycle(),
    };

    public static TheoryData<string> Names => new(Schedules.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void Factors_are_pytorch_s(string name)
    {
        var expected = TorchVectors.Doubles($"schedule/{name}");
        Assert.True(expected.Distinct().Count() > 2);
        for (var step = 0; step < expected.Length; step++)
            Assert.Equal(expected[step], Schedules[name].Factor(step, StepsPerEpoch, expected.Length), 1e-12);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Short_trainings_have_factors_between_0_and_1(int steps)
    {
        foreach (var (name, schedule) in Schedules)
        {
            for (var step = 0; step < steps; step++)
            {
                var factor = schedule.Factor(step, 1, steps);
                Assert.True(factor is > 0 and <= 1, $"{name}: {factor} in step {step} of {steps}");
            }
        }

        Assert.Equal(1, LearningRateSchedule.Constant.Factor(steps - 1, 1, steps));
    }

    [Fact]
    public void Numbers_out_of_range_are_refused_by_their_value()
    {
        Assert.Contains("0 epochs", Refusal(() => LearningRateSchedule.Step(0)), StringComparison.Ordinal);
        Assert.Contains("by -1", Refusal(() => LearningRateSchedule.Step(1, -1)), StringComparison.Ordinal);
        Assert.Contains("warm-up of 1 ", Refusal(() => LearningRateSchedule.Cosine(1)), StringComparison.Ordinal);
        Assert.Contains("factor of 1.5", Refusal(() => LearningRateSchedule.Cosine(0, 1.5)), StringComparison.Ordinal);
        Assert.Contains("rises for NaN", Refusal(() => LearningRateSchedule.OneCycle(double.NaN)), StringComparison.Ordinal);
    }

    private static string Refusal(Func<object> make) => Assert.Throws<ArgumentException>(make).Message;
}
