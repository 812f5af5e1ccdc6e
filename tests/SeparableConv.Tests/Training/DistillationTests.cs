using SeparableConv.Training;

namespace SeparableConv.Tests.Training;

/// <summary>Trainings with a teacher.</summary>
[Collection(QuietCollection.Name)]
public sealed class DistillationTests
{
    private static readonly Distillation Alone = new(Teacher(seed: 9));

    // Classes count too, and two of them where pictures are mixed.
    private static readonly TrainingOptions Beside = TrainerRun.Options with
    {
        Distillation = Alone with { Weight = 0.6, Temperature = 3 },
    };

    private static readonly TrainingOptions Plain = TrainerRun.Options with { LabelSmoothing = 0, Distillation = Alone };

    [Fact]
    public void A_student_with_its_teacher_s_weights_has_nothing_to_learn()
    {
        // Its inference may add in another order than its training.
        var network = Teacher(seed: 9);
        using var step = new TrainingStep(network, Plain with { AverageDecay = 0, Optimizer = Optimizer.Sgd(1, momentum: 0) });
        RandomData.Floats(step.Pixels.Length, 3).CopyTo(step.Pixels);
        Assert.InRange(step.Forward(), 0, 1e-10);
        step.Backward();
        Assert.InRange(step.GradientNorm!.Value, 0, 1e-5);
        Assert.Equal(step.Logits.Length, step.TeacherLogits.Length);
        for (var i = 0; i < step.Logits.Length; i++)
            Assert.Equal(step.Logits[i], step.TeacherLogits[i], 1e-5f);
        Assert.True(step.Labels.IsEmpty && step.SecondLabels.IsEmpty && step.MixWeights.IsEmpty);
    }

    [Fact]
    public void Gradients_are_those_of_the_reported_loss()
    {
        using var step = new TrainingStep(Teacher(seed: 2), Beside with { ClipNorm = 0, Optimizer = Optimizer.Sgd(1, momentum: 0) });
        RandomData.Floats(step.Pixels.Length, 3).CopyTo(step.Pixels);
        for (var n = 0; n < step.BatchSize; n++)
            (step.Labels[n], step.SecondLabels[n], step.MixWeights[n]) = (n, 11 - n, 0.1f * n);
        var parameters = step.Graph.Trained.Select(trained => trained.Parameter).ToArray();
        var before = parameters.Select(parameter => step.Stored(parameter).ToArray()).ToArray();
        step.Forward();
        step.Backward();
        step.Update(1);

        // A step of descent at the rate 1 is the gradient.
        float[][] gradients =
            [.. parameters.Select((parameter, i) => before[i].Zip(step.Stored(parameter).ToArray(), (a, b) => a - b).ToArray())];
        for (var i = 0; i < parameters.Length; i++)
            before[i].CopyTo(step.Stored(parameters[i]));
        var square = gradients.Sum(gradient => gradient.Sum(number => (double)number * number));
        var difference = (Loss(1e-2) - Loss(-1e-2)) / 2e-2;
        Assert.Equal(Math.Sqrt(square), difference, 0.01 * Math.Sqrt(square));

        // The loss a little way along the gradient.
        double Loss(double way)
        {
            for (var i = 0; i < parameters.Length; i++)
            {
                var stored = step.Stored(parameters[i]);
                for (var at = 0; at < stored.Length; at++)
                    stored[at] = (float)(before[i][at] + (way * gradients[i][at] / Math.Sqrt(square)));
            }

            return step.Forward();
        }
    }

    [Fact]
    public void Threads_change_no_bit_and_every_setting_does()
    {
        var alone = TrainerRun.EndState(Plain);
        Assert.Equal(alone, TrainerRun.EndState(Plain with { Threads = 2 }));
        Assert.Equal(TrainerRun.EndState(Beside), TrainerRun.EndState(Beside with { Threads = 2 }));
        Assert.NotEqual(Weights(Plain), Weights(Beside));
        Assert.NotEqual(Weights(Plain), Weights(Plain with { Distillation = Alone with { Temperature = 1 } }));
        Assert.NotEqual(Weights(Plain), Weights(Plain with { Distillation = new(Teacher(seed: 10)) }));

        static byte[] Weights(TrainingOptions options)
        {
            using var trainer = TrainerRun.Trainer(options);
            trainer.Run();
            return [.. trainer.ToNetwork().Parameters.SelectMany(parameter => parameter.Data!.Bytes.ToArray())];
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Steps_allocate_nothing(int threads)
    {
        foreach (var options in new[] { Plain, Beside })
        {
            using var step = new TrainingStep(TrainerRun.Network(), options with { Threads = threads });
            step.Pixels.Fill(0.5f);
            Allocations.AreNone(($"a training step with a teacher on {threads} threads", () => Run(step)));
        }

        static void Run(TrainingStep step)
        {
            step.Forward();
            step.Backward();
            step.Update(0.01);
        }
    }

    [Fact]
    public void Going_on_from_a_checkpoint_gives_the_same_bits_and_another_teacher_is_refused()
    {
        using var folder = new TempFolder();
        using var whole = TrainerRun.Trainer(Beside);
        whole.Run(new TrainerRun.Reports(progress => whole.Save(folder[$"{progress.Step}"])));
        foreach (var step in new[] { 1, 3, 7 })
        {
            // The same numbers from elsewhere, of another batch size: the same teacher.
            var distillation = Beside.Distillation! with { Teacher = Teacher(seed: 9).WithBatch(3) };
            using var trainer = TrainerRun.Trainer(Beside with { Distillation = distillation, Threads = 2 });
            trainer.Resume(folder[$"{step}"]);
            trainer.Run();
            Assert.Equal(TrainerRun.State(whole), TrainerRun.State(trainer));
        }

        foreach (var other in new Distillation?[]
        {
            null,
            Beside.Distillation! with { Teacher = Teacher(seed: 10) },
            Beside.Distillation with { Weight = 0.5 },
            Beside.Distillation with { Temperature = 2 },
        })
        {
            using var trainer = TrainerRun.Trainer(Beside with { Distillation = other });
            var error = Assert.Throws<InvalidDataException>(() => trainer.Resume(folder["3"]));
            Assert.Contains("other settings", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Pictures_without_labels_teach_what_the_teacher_knows()
    {
        using var teacher = new Trainer(TrainerRun.Network(), TrainerRun.Data, options: Learning());
        teacher.Run();
        var known = teacher.ToNetwork();
        var options = Learning() with { Distillation = new(known) };
        using var student = new Trainer(TrainerRun.Network(), new WithoutLabels(), TrainerRun.Data, options);
        Assert.Equal($"{teacher.Normalization}", $"{student.Normalization}");
        student.Run();

        // The accuracy of an epoch is how often both say the same; while it learns, the student has dropouts.
        Assert.InRange(student.Epochs[^1].Accuracy, 0.5, 1);
        Assert.InRange(student.Epochs[^1].Loss, 0, student.Epochs[0].Loss / 2);
        Assert.InRange(student.Epochs[^1].Validation!.Accuracy, 0.6, 1);

        static TrainingOptions Learning() => new()
        {
            Optimizer = Optimizer.Adam(0.02),
            Schedule = LearningRateSchedule.OneCycle(),
            Epochs = 120,
            BatchSize = 13,
            Threads = 1,
        };
    }

    [Fact]
    public void A_teacher_with_its_channels_first_sees_the_same_pictures()
    {
        var net = new GraphBuilder();
        var pictures = net.Input("x", new(ElementType.Float32, new TensorShape(1, 3, 8, 8)));
        var last = net.Add("last", new TransposeOperator([0, 2, 3, 1]), pictures);
        var sums = net.Add("flat", new ReshapeOperator(new TensorShape(1, 192)), last);
        var kernel = net.Constant("kernel", TensorData.Create(RandomData.Floats(192 * 12, 5), 192, 12));
        var first = net.BuildWithParameters("first", net.Add("dense", new DenseOperator(Activation.None), sums, kernel));

        var other = new GraphBuilder();
        var turned = other.Input("x", new(ElementType.Float32, new TensorShape(1, 8, 8, 3)));
        var row = other.Add("flat", new ReshapeOperator(new TensorShape(1, 192)), turned);
        var straight = other.BuildWithParameters("last", other.Add("dense", new DenseOperator(Activation.None), row, kernel));

        using var a = new TrainingStep(TrainerRun.Network(), Plain with { Distillation = new(first) });
        using var b = new TrainingStep(TrainerRun.Network(), Plain with { Distillation = new(straight) });
        foreach (var step in new[] { a, b })
        {
            RandomData.Floats(step.Pixels.Length, 3).CopyTo(step.Pixels);
            step.Forward();
        }

        Assert.Equal(b.TeacherLogits.ToArray(), a.TeacherLogits.ToArray());
    }

    [Fact]
    public void What_does_not_suit_is_refused()
    {
        foreach (var (options, message) in new[]
        {
            (Beside with { Distillation = Alone with { Weight = 1.5 } }, "teacher's weight is 1.5"),
            (Beside with { Distillation = Alone with { Weight = double.NaN } }, "teacher's weight is NaN"),
            (Beside with { Distillation = Alone with { Temperature = 0 } }, "temperature is 0"),
            (Beside with { Distillation = Alone with { Temperature = 1e-60 } }, "temperature is 1E-60"),
            (Beside with { Distillation = Alone }, "Label smoothing"),
            (Plain with { ClassWeights = [.. Enumerable.Repeat(1.0, 12)] }, "class weights"),
            (Beside with { Distillation = new(TrainerRun.Network(7)) { Weight = 0.5 } }, "tells 12 classes apart"),
            (Beside with { Distillation = new(TrainerRun.Network(size: 9)) { Weight = 0.5 } }, "(8,9,9,3) but the network's is"),
            (Beside with { Distillation = new(TwoOutputs()) { Weight = 0.5 } }, "1 inputs and 2 outputs"),
            (Plain with { Distillation = new(Normalized()), Normalization = Normalization.MinusOneToOne }, "give both the same"),
        })
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => TrainerRun.Trainer(options)).Message, StringComparison.Ordinal);

        using var same = TrainerRun.Trainer(Plain with { Distillation = new(Normalized()) });
        Assert.Equal([0.0], same.Normalization.Mean.ToArray());

        foreach (var options in new[] { TrainerRun.Options, Beside })
        {
            var training = Assert.Throws<ArgumentException>(() => TrainerRun.Trainer(options, new WithoutLabels()));
            Assert.Contains("no labels", training.Message, StringComparison.Ordinal);
        }

        var validation = Assert.Throws<ArgumentException>(
            () => new Trainer(TrainerRun.Network(), TrainerRun.Data, new WithoutLabels(), Plain));
        Assert.Contains("to validate with have no labels", validation.Message, StringComparison.Ordinal);
        var evaluation = Assert.Throws<ArgumentException>(
            () => Evaluation.Run(TrainerRun.Network(), new WithoutLabels(), Normalization.ZeroToOne, 1));
        Assert.Contains("no labels", evaluation.Message, StringComparison.Ordinal);

        static Network Normalized() => Teacher(9).WithMetadata(Normalization.ZeroToOne.ToMetadata());

        static Network TwoOutputs()
        {
            var network = TrainerRun.Network();
            return new GraphBuilder(network).Build("two", network.Outputs[0], network.Outputs[0].Producer!.Inputs[0]!);
        }
    }

    // Without batch normalization, which is another function while it is trained.
    private static Network Teacher(int seed)
    {
        var net = new NetworkBuilder(seed);
        var x = net.Input(new(8, 8, 3));
        x = net.Conv2D(x, 9, 3, 2, Padding.Same, activation: Activation.Sigmoid, name: "stem");
        x = net.SeparableConv2D(x, 14, 3, padding: Padding.Same, activation: Activation.HardSwish, name: "block");
        return net.Build(net.Dense(net.GlobalAveragePooling2D(x), 12, Activation.Softmax, name: "dense"));
    }

    private sealed class WithoutLabels() : PictureDataSet(new([]), 8, 8, 3)
    {
        public override int Count => TrainerRun.Data.Count;

        public override int ClassOf(int index) => 0;

        protected override void ReadPixels(int index, Span<byte> pixels) => TrainerRun.Data.Read(index, pixels);
    }
}
