using System.Numerics;

namespace SeparableConv.Networks.Operators;

/// <summary>The rules by which parameters follow their gradients.</summary>
internal enum OptimizerKind
{
    /// <summary>Gradient descent, with momentum where it is not 0.</summary>
    Sgd,

    /// <summary>D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015.</summary>
    Adam,

    /// <summary>T. Tieleman and G. Hinton, "RMSProp", 2012.</summary>
    RmsProp,
}

/// <summary>A rule and its constants. The formulas are PyTorch's.</summary>
/// <param name="Kind">The rule.</param>
/// <param name="Momentum">Of SGD and RMSprop; 0 for none.</param>
/// <param name="IsNesterov">Whether SGD looks ahead by its momentum.</param>
/// <param name="Beta1">Adam's share of the mean that stays.</param>
/// <param name="Beta2">Adam's share of the mean square that stays, and RMSprop's.</param>
/// <param name="Epsilon">Added to the root of the mean square.</param>
/// <param name="IsDecoupled">Whether weight decay shrinks the parameter itself (AdamW) and is no part of the gradient.</param>
internal sealed record OptimizerRule(
    OptimizerKind Kind, float Momentum, bool IsNesterov, float Beta1, float Beta2, float Epsilon, bool IsDecoupled)
{
    /// <summary>Tensors of a parameter's shape that the rule keeps beside it.</summary>
    public int States => Kind switch
    {
        OptimizerKind.Sgd => Momentum == 0 ? 0 : 1,
        OptimizerKind.Adam => 2,
        _ => Momentum == 0 ? 1 : 2,
    };
}

/// <summary>What changes from step to step, in the order in which an optimizer's numbers lie.</summary>
internal enum OptimizerNumber
{
    /// <summary>The learning rate.</summary>
    Rate,

    /// <summary>Weight decay, for parameters that decay.</summary>
    WeightDecay,

    /// <summary>What is added to the gradient times the sign of the weight, for parameters that decay.</summary>
    L1,

    /// <summary>Adam's 1 - beta1^t, t the number of the step from 1.</summary>
    MeanCorrection,

    /// <summary>Adam's 1 - beta2^t.</summary>
    SquareCorrection,

    /// <summary>The share of the averaged weights that stays.</summary>
    AverageDecay,

    /// <summary>How many there are.</summary>
    Count,
}

/// <summary>
/// One step of an optimizer, in the parameter's own memory and in that of its states: parameter, states, the moving average of the
/// parameter where one is kept, then the gradient, the step's numbers (<see cref="OptimizerNumber"/>) and a factor (1) of the gradient or
/// none -> what is updated, in the same order. All float32.
/// </summary>
internal sealed unsafe class OptimizerOperator(OptimizerRule rule, bool decays, bool averages) : Operator
{
    public override string Kind => rule.Kind.ToString();

    internal override Aliasing Aliasing => Aliasing.Update;

    private int Updated => 1 + rule.States + (averages ? 1 : 0);

    internal override InputRole RoleOf(int input, TensorType type) =>
        input == 0 ? InputRole.Parameter : input < Updated ? InputRole.Statistic : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var parameter = OperatorChecks.Required(inputs, 0, "parameter");
        OperatorChecks.Takes(parameter.Element == ElementType.Float32, parameter, "float32");
        for (var i = 1; i <= Updated; i++)
            OperatorChecks.SameShape(parameter, OperatorChecks.Required(inputs, i, i < Updated ? "state" : "gradient"));
        var numbers = OperatorChecks.Required(inputs, Updated + 1, "numbers", ElementType.Float32, 1);
        if (numbers.Shape[0] != (int)OptimizerNumber.Count)
            throw new ArgumentException($"A step has {(int)OptimizerNumber.Count} numbers; {numbers} was given.");
        var types = new TensorType[Updated];
        Array.Fill(types, parameter);
        return types;
    }

    internal override OperatorCost Cost(Node node) => new(0, (2 + (3L * rule.States)) * node.Outputs[0].Shape.ElementCount);

    internal override void Forward(ForwardContext context)
    {
        var numbers = context.Inputs[Updated + 1].Span<float>();
        var factor = context.Optional(Updated + 2).Span<float>();
        var work = new Work
        {
            Rule = rule,
            Parameter = Before(context, 0),
            First = rule.States > 0 ? Before(context, 1) : null,
            Second = rule.States > 1 ? Before(context, 2) : null,
            Average = averages ? Before(context, Updated - 1) : null,
            Gradient = context.Inputs[Updated].Pointer<float>(),
            Rate = numbers[(int)OptimizerNumber.Rate],
            Decay = decays ? numbers[(int)OptimizerNumber.WeightDecay] : 0,
            L1 = decays ? numbers[(int)OptimizerNumber.L1] : 0,
            MeanCorrection = numbers[(int)OptimizerNumber.MeanCorrection],
            SquareCorrection = numbers[(int)OptimizerNumber.SquareCorrection],
            AverageDecay = numbers[(int)OptimizerNumber.AverageDecay],
            Factor = factor.IsEmpty ? 1 : factor[0],
        };
        ElementParts.Run(work, context.Outputs[0].Shape.ElementCount, 1, context.Threads);
    }

    // Where a run is planned an output is its input; else it begins as a copy.
    private static float* Before(ForwardContext context, int index)
    {
        var (before, after) = (context.Inputs[index], context.Outputs[index]);
        if (before.Memory != after.Memory)
            before.Bytes().CopyTo(after.Bytes());
        return after.Pointer<float>();
    }

    private struct Work : IRangeWork
    {
        public OptimizerRule Rule;
        public float* Parameter;
        public float* First;
        public float* Second;
        public float* Average;
        public float* Gradient;
        public float Rate;
        public float Decay;
        public float L1;
        public float MeanCorrection;
        public float SquareCorrection;
        public float AverageDecay;
        public float Factor;

        public readonly void Run(nint start, nint end)
        {
            var at = start;
            for (; at + Vector<float>.Count <= end; at += Vector<float>.Count)
                Step(at, Vector<float>.Count);
            if (at < end)
                Step(at, (int)(end - at));
        }

        // A vector, or what is left of one.
        private readonly void Step(nint at, int count)
        {
            var p = Load(Parameter + at, count);
            var g = Load(Gradient + at, count) * Factor;
            if (L1 != 0)
                g += Vector.ConditionalSelect(Vector.Equals(p, default), default, Vector.CopySign(new Vector<float>(L1), p));
            if (Decay != 0)
            {
                if (Rule.IsDecoupled)
                    p *= 1 - (Rate * Decay);
                else
                    g += p * Decay;
            }

            p -= Rule.Kind switch
            {
                OptimizerKind.Sgd => Sgd(g, at, count),
                OptimizerKind.Adam => Adam(g, at, count),
                _ => RmsProp(g, at, count),
            };
            Store(p, Parameter + at, count);
            if (Average != null)
                Store((Load(Average + at, count) * AverageDecay) + (p * (1 - AverageDecay)), Average + at, count);
        }

        private readonly Vector<float> Sgd(Vector<float> g, nint at, int count)
        {
            if (First == null)
                return g * Rate;
            var momentum = (Load(First + at, count) * Rule.Momentum) + g;
            Store(momentum, First + at, count);
            return Rule.IsNesterov ? (g + (momentum * Rule.Momentum)) * Rate : momentum * Rate;
        }

        private readonly Vector<float> Adam(Vector<float> g, nint at, int count)
        {
            var mean = (Load(First + at, count) * Rule.Beta1) + (g * (1 - Rule.Beta1));
            var square = (Load(Second + at, count) * Rule.Beta2) + (g * g * (1 - Rule.Beta2));
            Store(mean, First + at, count);
            Store(square, Second + at, count);
            var root = (Vector.SquareRoot(square) * (1 / MathF.Sqrt(SquareCorrection))) + new Vector<float>(Rule.Epsilon);
            return mean * (Rate / MeanCorrection) / root;
        }

        private readonly Vector<float> RmsProp(Vector<float> g, nint at, int count)
        {
            var square = (Load(First + at, count) * Rule.Beta2) + (g * g * (1 - Rule.Beta2));
            Store(square, First + at, count);
            var scaled = g / (Vector.SquareRoot(square) + new Vector<float>(Rule.Epsilon));
            if (Second == null)
                return scaled * Rate;
            var momentum = (Load(Second + at, count) * Rule.Momentum) + scaled;
            Store(momentum, Second + at, count);
            return momentum * Rate;
        }

        private static Vector<float> Load(float* source, int count)
        {
            if (count == Vector<float>.Count)
                return Vector.Load(source);
            Span<float> lanes = stackalloc float[Vector<float>.Count];
            lanes.Clear();
            new ReadOnlySpan<float>(source, count).CopyTo(lanes);
            return new Vector<float>(lanes);
        }

        private static void Store(Vector<float> value, float* target, int count)
        {
            if (count == Vector<float>.Count)
            {
                Vector.Store(value, target);
                return;
            }

            for (var i = 0; i < count; i++)
                target[i] = value[i];
        }
    }
}
