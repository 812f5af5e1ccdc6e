// Trains a small separable network on drawn shapes and shows how it learns: the curves, and what it makes of pictures that it never
// learns from. Ctrl-C ends it, and what was learned until then is measured and saved all the same.
// Usage: dotnet run --project samples/TrainScreen -c Release [-- STEPS [OUT.onnx]]
using System.Numerics.Tensors;
using SeparableConv;
using SeparableConv.Networks;
using SeparableConv.Training;
using TrainScreen;

const int Size = 24;
var steps = 2500;
if (args.Length > 2 || (args.Length > 0 && !(int.TryParse(args[0], out steps) && steps > 0)))
{
    Console.Error.WriteLine("Give STEPS, a whole number from 1 up, and OUT.onnx; or STEPS alone, or nothing.");
    return 2;
}

var pictures = PictureDataSet.Shapes(12_000, Size);
var unseen = PictureDataSet.Shapes(1_200, Size, seed: 1);
var network = SmallCnn.Create(new(Size, Size, 3), filters: 32, classes: pictures.Classes.Count);

using var step = new TrainingStep(network, new() { BatchSize = 64, Optimizer = Optimizer.AdamW() });
using var batches = new BatchLoader(pictures, new() { BatchSize = 64 });
using var end = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    end.Cancel();
};

if (Console.IsOutputRedirected)
    Lines.Print(Learn(), steps);
else
    new Screen(step, unseen, batches.Normalization).Show(Learn(), steps);

var trained = step.ToNetwork().WithBatch(1).WithMetadata(batches.Normalization.ToMetadata());
var evaluation = Evaluation.Run(trained, unseen, batches.Normalization, MachineInfo.DefaultThreads);
Console.WriteLine(FormattableString.Invariant($"{evaluation.Accuracy:P1} of {unseen.Count} unseen pictures right"));
if (args.Length > 1)
    OnnxWriter.Write(trained, args[1]);
return 0;

// The training itself: whoever asks for the next moment has a step made.
IEnumerable<Moment> Learn()
{
    var schedule = LearningRateSchedule.OneCycle();
    while (step.Steps < steps && !end.IsCancellationRequested)
    {
        var batch = batches.Next();
        batch.Pixels.CopyTo(step.Pixels);
        batch.Labels.CopyTo(step.Labels);
        var loss = step.Forward();
        step.Backward();
        step.Update(rate: 0.01 * schedule.Factor(step.Steps, batches.BatchesPerEpoch, steps));
        yield return new(step.Steps, loss, Right(batch.Labels));
    }
}

// The share of a batch's pictures whose own class has the highest score.
double Right(ReadOnlySpan<int> labels)
{
    var right = 0;
    for (var n = 0; n < labels.Length; n++)
        right += TensorPrimitives.IndexOfMax(step.Logits.Slice(n * step.Classes, step.Classes)) == labels[n] ? 1 : 0;
    return (double)right / labels.Length;
}
