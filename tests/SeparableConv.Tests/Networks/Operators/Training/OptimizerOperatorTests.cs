using System.Numerics;

namespace SeparableConv.Tests.Networks.Operators;

/// <summary>One step of each rule against its formula in double precision, with all that can be added to it.</summary>
public sealed class OptimizerOperatorTests
{
    private const float Rate = 0.1f;
    private const float Decay = 0.05f;
    private const float L1 = 0.03f;
    private const float AverageDecay = 0.75f;
    private const float Factor = 0.5f;

    private static readonly Dictionary<string, OptimizerRule> Rules = new()
    {
        ["sgd"] = new(OptimizerKind.Sgd, 0, false, 0, 0, 0, false),
        ["momentum"] = new(OptimizerKind.Sgd, 0.9f, false, 0, 0, 0, false),
        ["nesterov"] = new(OptimizerKind.Sgd, 0.9f, true, 0, 0, 0, false),
        ["adam"] = new(OptimizerKind.Adam, 0, false, 0.9f, 0.99f, 1e-3f, false),
        ["adamw"] = new(OptimizerKind.Adam, 0, false, 0.9f, 0.99f, 1e-3f, true),
        ["rmsprop"] = new(OptimizerKind.RmsProp, 0, false, 0, 0.9f, 1e-3f, false),
        ["rmsprop_momentum"] = new(OptimizerKind.RmsProp, 0.5f, false, 0, 0.9f, 1e-3f, false),
    };

    public static TheoryData<string, int, bool> Cases => new(
        from name in Rules.Keys
        from size in new[] { 1, Vector<float>.Count - 1, Vector<float>.Count, Vector<float>.Count + 1, (2 * Vector<float>.Count) + 3, 1000 }
        where size > 0
        from decays in new[] { false, true }
        select (name, size, decays));

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_is_the_formula(string name, int size, bool decays)
    {
        var rule = Rules[name];
        var numbers = new float[(int)OptimizerNumber.Count];
        numbers[(int)OptimizerNumber.Rate] = Rate;
        numbers[(int)OptimizerNumber.WeightDecay] = Decay;
        numbers[(int)OptimizerNumber.L1] = L1;
        numbers[(int)OptimizerNumber.MeanCorrection] = 0.3f;
        numbers[(int)OptimizerNumber.SquareCorrection] = 0.2f;
        numbers[(int)OptimizerNumber.AverageDecay] = AverageDecay;

        // The sign of 0 is 0, whatever the sign of that; mean squares are not negative.
        var parameter = RandomData.Floats(size, 1);
        (parameter[0], parameter[^1]) = (0f, -0f);
        float[][] states = [.. Enumerable.Range(0, rule.States).Select(state => RandomData.Floats(size, 2 + state))];
        var square = rule.Kind switch { OptimizerKind.Adam => 1, OptimizerKind.RmsProp => 0, _ => -1 };
        if (square >= 0)
            states[square] = Array.ConvertAll(states[square], MathF.Abs);
        var (average, gradient) = (RandomData.Floats(size, 5), RandomData.Floats(size, 6));
        TensorData[] inputs =
        [
            Row(parameter), .. states.Select(Row), Row(average), Row(gradient), Row(numbers), TensorData.Create([Factor], 1),
        ];

        var outputs = Evaluator.Run(new OptimizerOperator(rule, decays, averages: true), inputs);
        Assert.Equal(2 + rule.States, outputs.Length);
        for (var i = 0; i < size; i++)
        {
            var expected = Expected(rule, decays, parameter[i], [.. states.Select(state => (double)state[i])], average[i], gradient[i]);
            for (var output = 0; output < outputs.Length; output++)
            {
                var actual = outputs[output].Span<float>()[i];
                Assert.Equal(expected[output], actual, 4e-6 * (1 + Math.Abs(expected[0] - parameter[i])));
            }
        }
    }

    [Fact]
    public void L1_leaves_zero_and_what_is_no_number()
    {
        var numbers = new float[(int)OptimizerNumber.Count];
        (numbers[(int)OptimizerNumber.Rate], numbers[(int)OptimizerNumber.L1]) = (1, 2);
        var outputs = Evaluator.Run(
            new OptimizerOperator(Rules["sgd"], decays: true, averages: false),
            [Row([0, float.NaN, 5, -5]), Row(new float[4]), Row(numbers)]);
        Assert.Equal([0, float.NaN, 3, -3], outputs[0].Span<float>().ToArray());
    }

    private static TensorData Row(float[] numbers) => TensorData.Create(numbers, numbers.Length);

    // Parameter, states and average behind the step.
    private static double[] Expected(OptimizerRule rule, bool decays, double p, double[] states, double average, double gradient)
    {
        var g = gradient * Factor;
        if (decays)
        {
            g += L1 * Math.Sign(p);
            g += rule.IsDecoupled ? 0 : Decay * p;
            p -= rule.IsDecoupled ? Rate * Decay * p : 0;
        }

        switch (rule.Kind)
        {
            case OptimizerKind.Sgd when states.Length == 0:
                p -= Rate * g;
                break;
            case OptimizerKind.Sgd:
                states[0] = (rule.Momentum * states[0]) + g;
                p -= Rate * (rule.IsNesterov ? g + (rule.Momentum * states[0]) : states[0]);
                break;
            case OptimizerKind.Adam:
                states[0] = (rule.Beta1 * states[0]) + ((1 - (double)rule.Beta1) * g);
                states[1] = (rule.Beta2 * states[1]) + ((1 - (double)rule.Beta2) * g * g);
                p -= Rate * states[0] / 0.3f / (Math.Sqrt(states[1] / 0.2f) + rule.Epsilon);
                break;
            default:
                states[0] = (rule.Beta2 * states[0]) + ((1 - (double)rule.Beta2) * g * g);
                var scaled = g / (Math.Sqrt(states[0]) + rule.Epsilon);
                if (states.Length > 1)
                    states[1] = scaled += rule.Momentum * states[1];
                p -= Rate * scaled;
                break;
        }

        return [p, .. states, (AverageDecay * average) + ((1 - (double)AverageDecay) * p)];
    }
}
