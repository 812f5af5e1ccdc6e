using SeparableConv.Tests.Networks.Fuzz;
using SeparableConv.Tests.Support.Fuzz;
using SeparableConv.Training;

namespace SeparableConv.Tests.Training.Fuzz;

/// <summary>
/// Damaged checkpoints are refused in one line and change nothing, or bring a training to a state that can be kept and gone on from. How to
/// try more of them, and one of them again, is in docs/fuzzing.md.
/// </summary>
public sealed class CheckpointFuzzTests
{
    private const long FreeBytes = 4 << 20;
    private const long BytesPerByte = 64;

    // One file in so many is gone on from, for a step.
    private const int Tried = 16;

    [Fact]
    public void Damaged_checkpoints_are_refused_or_gone_on_from()
    {
        using var trainer = Trainer();
        var seeds = Seeds();
        Assert.All(seeds, seed => Assert.Equal(FuzzOutcome.Read, Try(trainer, seed)));
        new FuzzRun("checkpoint").Check(number => Damage(seeds, number), file => Try(trainer, file));
    }

    private static byte[] Damage(byte[][] seeds, int number)
    {
        var random = new Random(unchecked((FuzzRun.Seed * 1_000_003) + number));
        var (file, other) = (seeds[random.Next(seeds.Length)], seeds[random.Next(seeds.Length)]);
        var damaged = random.Next(4) > 0 ? SafetensorsMutator.Mutate(file, other, random) : file;
        return ReferenceEquals(damaged, file) || random.Next(8) == 0 ? ByteMutator.Mutate(damaged, other, random) : damaged;
    }

    private static FuzzOutcome Try(Trainer trainer, byte[] file)
    {
        var before = State(trainer);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var refusal = Refusal(trainer, file);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (allocated > FreeBytes + (BytesPerByte * file.Length))
            throw new InvalidOperationException($"A file of {file.Length} bytes took {allocated} bytes.");
        var after = State(trainer);
        if (refusal is not null)
        {
            return before.AsSpan().SequenceEqual(after)
                ? FuzzOutcome.Refused
                : throw new InvalidOperationException($"A file was refused and has changed the training: {refusal}");
        }

        // What was read is kept and read again: it must be the same.
        if (Refusal(trainer, after) is { } late)
            throw new InvalidOperationException($"What was read cannot be read again: {late}");
        if (!after.AsSpan().SequenceEqual(State(trainer)))
            throw new InvalidOperationException("What was read is something else when it is read again.");
        if (trainer.StepsDone < 0 || trainer.StepsDone > trainer.Steps || trainer.EpochsDone > trainer.EpochCount)
            throw new InvalidOperationException($"The training stands at step {trainer.StepsDone}, epoch {trainer.EpochsDone}.");
        if (file[^1] % Tried == 0)
            GoOn(trainer, file);
        return FuzzOutcome.Read;
    }

    // The optimizer's own numbers may be anything: the training may diverge, but says so. What is lost is not kept on.
    private static void GoOn(Trainer trainer, byte[] file)
    {
        try
        {
            TrainerRun.RunSteps(trainer, 1);
            State(trainer);
        }
        catch (DivergenceException)
        {
            Assert.Null(Refusal(trainer, file));
        }
    }

    private static string? Refusal(Trainer trainer, byte[] file)
    {
        try
        {
            trainer.Resume(new MemoryStream(file));
            return null;
        }
        catch (InvalidDataException e)
        {
            if (e.Message.Length is 0 or > 3000 || e.Message.AsSpan().IndexOfAny("\r\n\0\u0085\u2028\u2029") >= 0)
                throw new InvalidOperationException($"It was refused in more than a line: {e.Message}", e);
            return e.Message;
        }
    }

    private static byte[] State(Trainer trainer)
    {
        var state = new MemoryStream();
        trainer.Save(state);
        return state.ToArray();
    }

    // Before the first step, in the midst of an epoch, at its last step before it is told of, behind that, and at the end.
    private static byte[][] Seeds()
    {
        var seeds = new List<byte[]>();
        using var trainer = Trainer();
        seeds.Add(State(trainer));
        trainer.Run(
            new TrainerRun.Reports(progress =>
            {
                if (progress.Step is 2 or 4 or 6)
                    seeds.Add(State(trainer));
            }),
            epoch => seeds.Add(State(trainer)));
        return [.. seeds];
    }

    // As small as one with a normalization, all of an optimizer's tensors, and averages can be.
    private static Trainer Trainer()
    {
        var net = new NetworkBuilder(seed: 4);
        var x = net.BatchNormalization(net.Conv2D(net.Input(new(8, 8, 3)), 2, 3, 2, useBias: false, name: "a"), name: "b");
        var options = TrainerRun.Options with { Epochs = 2 };
        return new(net.Build(net.Dense(net.GlobalAveragePooling2D(net.ReLU(x)), 12, name: "c")), TrainerRun.Data, null, options);
    }
}
