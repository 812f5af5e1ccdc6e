using System.Runtime.InteropServices;
using SeparableConv.Networks.Inference;

namespace SeparableConv.Tests.Networks.Inference;

/// <summary>What only a choice that is not taken leads to is left out of a run.</summary>
public sealed class BranchGuardTests
{
    private readonly GraphSketch _g = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Each_choice_runs_when_it_is_asked_for(int threads)
    {
        var (x, condition) = Condition();
        var (a, b) = (Branch(x), Branch(x));
        var y = _g.Add(new WhereOperator(), condition, a, b);
        var network = _g.Build(y);
        var guards = BranchGuards.Find(network);
        Assert.Equal(true, guards.Of(a.Producer!)?.RunsWhen);
        Assert.Equal(false, guards.Of(b.Producer!)?.RunsWhen);
        Assert.Equal(true, guards.Of(a.Producer!.Inputs[0]!.Producer!)?.RunsWhen);
        Assert.Null(guards.Of(condition.Producer!));
        Assert.Null(guards.Of(y.Producer!));
        CompiledComparison.Check(network, threads: threads);

        using var session = new InferenceSession(network, new() { Threads = threads });
        foreach (var sign in new[] { 1, -1, -1, 1 })
        {
            var numbers = Array.ConvertAll(RandomData.Floats(64, 9), v => sign * Math.Abs(v));
            var taken = _g.Build(sign > 0 ? a : b);
            using var alone = new InferenceSession(taken, new() { Threads = threads });
            Assert.Equal(Run(alone, numbers), Run(session, numbers));
        }
    }

    [Fact]
    public void What_something_else_reads_is_always_run()
    {
        var (x, condition) = Condition();
        var (shared, shown, free) = (Branch(x), Branch(x), Branch(x));
        var inner = _g.Add(new WhereOperator(), condition, shared, _g.Add(new UnaryOperator(UnaryKind.Neg), shared));
        var y = _g.Add(new WhereOperator(), condition, shown, free);
        var network = _g.Build(inner, y, shown);
        var guards = BranchGuards.Find(network);
        Assert.Null(guards.Of(shared.Producer!));
        Assert.Null(guards.Of(shown.Producer!));
        Assert.NotNull(guards.Of(free.Producer!));
        CompiledComparison.Check(network);
    }

    [Fact]
    public void A_condition_stays_until_the_last_step_that_it_guards()
    {
        // Its negation could take its place.
        var (x, condition) = Condition();
        var not = _g.Add(new UnaryOperator(UnaryKind.Not), condition);
        var wide = _g.Add(new WhereOperator(), not, x, Branch(x));
        var y = _g.Add(new WhereOperator(), condition, Branch(wide), Branch(wide));
        CompiledComparison.Check(_g.Build(y, _g.Add(new WhereOperator(), not, x, Branch(x))));
    }

    [Fact]
    public void A_branch_in_a_branch_goes_with_it()
    {
        var (x, condition) = Condition();
        var inside = _g.Add(new BinaryOperator(BinaryKind.Less, Activation.None), Mean(x), _g.Constant([0.25f], 1, 1));
        var (deep, other) = (Branch(x), Branch(x));
        var inner = Branch(_g.Add(new WhereOperator(), inside, deep, other));
        var y = _g.Add(new WhereOperator(), condition, inner, x);
        var network = _g.Build(y);
        var guards = BranchGuards.Find(network);
        Assert.Equal(true, guards.Of(other.Producer!)?.RunsWhen);
        Assert.Equal(true, guards.Of(deep.Producer!)?.RunsWhen);
        CompiledComparison.Check(network);
    }

    [Fact]
    public void A_condition_of_many_elements_guards_nothing()
    {
        var x = _g.Input(1, 64);
        var condition = _g.Add(new BinaryOperator(BinaryKind.GreaterOrEqual, Activation.None), x, _g.Constant([0f], 1, 1));
        var (a, b) = (Branch(x), Branch(x));
        var network = _g.Build(_g.Add(new WhereOperator(), condition, a, b));
        Assert.Null(BranchGuards.Find(network).Of(a.Producer!));
        CompiledComparison.Check(network);
    }

    private (Value X, Value Condition) Condition()
    {
        var x = _g.Input(1, 64);
        return (x, _g.Add(new BinaryOperator(BinaryKind.GreaterOrEqual, Activation.None), Mean(x), _g.Constant([0f], 1, 1)));
    }

    private Value Mean(Value x) => _g.Add(new ReduceOperator(ReduceKind.Mean, [1], keepDimensions: true), x);

    private Value Branch(Value x)
    {
        var hidden = _g.Add(new MatMulOperator(), x, _g.Random(64, 64));
        return _g.Add(new MatMulOperator(), _g.Add(new ActivationOperator(Activation.Tanh), hidden), _g.Random(64, 64));
    }

    private static float[] Run(InferenceSession session, float[] numbers)
    {
        MemoryMarshal.AsBytes<float>(numbers).CopyTo(session.InputBytes(0));
        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.OutputBytes(0)).ToArray();
    }
}
