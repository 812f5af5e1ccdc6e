using System.Diagnostics;
using System.Globalization;
using SeparableConv.Networks;
using SeparableConv.Training;

namespace SeparableConv.Bench;

/// <summary>
/// Whole training steps: forward pass, loss, backward pass, SGD with momentum. The networks are those of the peers' scripts.
/// </summary>
internal static class TrainingSuite
{
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args, defaultRounds: "15");
        var shows = args.Contains("--steps");
        foreach (var (name, batch, build) in Networks())
        {
            if (!options.Wants(name))
                continue;
            foreach (var threads in options.Threads)
                Measure(name, batch, build(), threads, options.Rounds, shows);
        }

        return 0;
    }

    private static void Measure(string name, int batch, Network network, int threads, int rounds, bool shows)
    {
        var training = new TrainingOptions { BatchSize = batch, Threads = threads, Optimizer = Optimizer.Sgd(0.01) };
        using var step = new TrainingStep(network, training);
        var random = new Random(1);
        foreach (ref var pixel in step.Pixels)
            pixel = (2 * random.NextSingle()) - 1;
        foreach (ref var label in step.Labels)
            label = random.Next(step.Classes);
        var first = Step(step);
        var warm = Stopwatch.StartNew();
        while (warm.ElapsedMilliseconds < 1500)
            Step(step);
        var (wholes, forwards, backwards, updates) = (new double[rounds], new double[rounds], new double[rounds], new double[rounds]);
        var loss = 0.0;
        for (var i = 0; i < rounds; i++)
        {
            var t0 = Stopwatch.GetTimestamp();
            loss = step.Forward();
            var t1 = Stopwatch.GetTimestamp();
            step.Backward();
            var t2 = Stopwatch.GetTimestamp();
            step.Update(0.01);
            var t3 = Stopwatch.GetTimestamp();
            wholes[i] = Milliseconds(t3 - t0);
            forwards[i] = Milliseconds(t1 - t0);
            backwards[i] = Milliseconds(t2 - t1);
            updates[i] = Milliseconds(t3 - t2);
        }

        Array.Sort(wholes);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-28} {threads} thread(s): {wholes[rounds / 2],9:0.00} ms ({wholes[0]:0.00}); forward {forwards.Min():0.00}, backward "
            + $"{backwards.Min():0.00}, update {updates.Min():0.00}; {step.MemoryBytes >> 20} MB; loss {first:0.000} -> {loss:0.000}"));
        if (shows)
            Show(step);
    }

    private static void Show(TrainingStep step)
    {
        var times = new double[step.CompiledSteps.Count];
        var run = new double[times.Length];
        Array.Fill(times, double.MaxValue);
        for (var i = 0; i < 9; i++)
        {
            step.Profile(run);
            for (var s = 0; s < run.Length; s++)
                times[s] = Math.Min(times[s], run[s]);
        }

        foreach (var group in step.CompiledSteps.Select((s, i) => (s.Kind, Time: times[i])).GroupBy(s => s.Kind)
            .OrderByDescending(g => g.Sum(s => s.Time)))
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"    {group.Key,-32} {group.Count(),4} {group.Sum(s => s.Time),9:0.000} ms"));
        }

        for (var i = 0; i < times.Length; i++)
        {
            if (times[i] > 0.3)
            {
                var compiled = step.CompiledSteps[i];
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"      {times[i],8:0.000} ms {compiled.Kind,-24} {compiled.Output,-28} "
                    + $"{2 * compiled.Cost.Macs / times[i] / 1e6,7:0.0} GFLOP/s {compiled.Name}"));
            }
        }
    }

    private static double Step(TrainingStep step)
    {
        var loss = step.Forward();
        step.Backward();
        step.Update(0.01);
        return loss;
    }

    private static double Milliseconds(long ticks) => ticks * 1e3 / Stopwatch.Frequency;

    private static IEnumerable<(string Name, int Batch, Func<Network> Build)> Networks() =>
    [
        ("mobilenet-v1_0.25_96", 32, () => MobileNetV1(0.25, 96, 2)),
        ("mobilenet-v2_0.5_96", 32, () => MobileNetV2(0.5, 96)),
        ("separable-cnn_28", 128, () => Cnn(true)),
        ("mobilenet-v1_1.0_32", 64, () => MobileNetV1(1, 32, 1)),
        ("standard-cnn_28", 128, () => Cnn(false)),
        ("resnet18_32", 64, ResNet18),
    ];

    private static Value Normalized(NetworkBuilder net, Value x, Activation activation)
    {
        x = net.BatchNormalization(x, epsilon: 1e-5f);
        return activation.IsNone ? x : net.Activation(x, activation);
    }

    private static Value Conv(NetworkBuilder net, Value x, int filters, int kernel, int stride, Activation activation) =>
        Normalized(
            net,
            net.Conv2D(x, filters, kernel, stride, Padding.Explicit(kernel / 2, kernel / 2, kernel / 2, kernel / 2), useBias: false),
            activation);

    private static Value Depthwise(NetworkBuilder net, Value x, int stride, Activation activation) =>
        Normalized(net, net.DepthwiseConv2D(x, 3, stride, Padding.Explicit(1, 1, 1, 1), useBias: false), activation);

    private static Value Separable(NetworkBuilder net, Value x, int filters, int stride) =>
        Conv(net, Depthwise(net, x, stride, Activation.ReLU), filters, 1, 1, Activation.ReLU);

    private static Network Classifier(NetworkBuilder net, Value x) => net.Build(net.Dense(net.GlobalAveragePooling2D(x), 10));

    private static int Channels(double count)
    {
        var rounded = Math.Max(8, (int)(count + 4) / 8 * 8);
        return rounded < 0.9 * count ? rounded + 8 : rounded;
    }

    private static Network MobileNetV1(double width, int size, int stride)
    {
        var net = new NetworkBuilder(seed: 1);
        var x = Conv(net, net.Input(new(size, size, 3)), Channels(32 * width), 3, stride, Activation.ReLU);
        foreach (var (filters, step) in new[]
        {
            (64, 1), (128, 2), (128, 1), (256, 2), (256, 1),
            (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
        })
        {
            x = Separable(net, x, Channels(filters * width), step);
        }

        return Classifier(net, x);
    }

    private static Network MobileNetV2(double width, int size)
    {
        var net = new NetworkBuilder(seed: 1);
        var channels = Channels(32 * width);
        var x = Conv(net, net.Input(new(size, size, 3)), channels, 3, 2, Activation.ReLU6);
        foreach (var (times, filters, count, stride) in new[]
        {
            (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
        })
        {
            for (var i = 0; i < count; i++)
            {
                var (outChannels, step) = (Channels(filters * width), i == 0 ? stride : 1);
                var y = times > 1 ? Conv(net, x, channels * times, 1, 1, Activation.ReLU6) : x;
                y = Conv(net, Depthwise(net, y, step, Activation.ReLU6), outChannels, 1, 1, Activation.None);
                x = step == 1 && outChannels == channels ? net.Add([y, x]) : y;
                channels = outChannels;
            }
        }

        return Classifier(net, Conv(net, x, 1280, 1, 1, Activation.ReLU6));
    }

    private static Network Cnn(bool isSeparable)
    {
        var net = new NetworkBuilder(seed: 1);
        var x = net.Input(new(28, 28, 1));
        var isFirst = true;
        foreach (var width in new[] { 1, 1, 0, 2, 2, 0, 4, 4 })
        {
            if (width == 0)
                x = net.MaxPooling2D(x, 2);
            else
                x = isSeparable && !isFirst ? Separable(net, x, 32 * width, 1) : Conv(net, x, 32 * width, 3, 1, Activation.ReLU);
            isFirst = false;
        }

        return Classifier(net, x);
    }

    private static Network ResNet18()
    {
        var net = new NetworkBuilder(seed: 1);
        var x = Conv(net, net.Input(new(32, 32, 3)), 64, 3, 1, Activation.ReLU);
        var channels = 64;
        foreach (var width in new[] { 64, 128, 256, 512 })
        {
            for (var i = 0; i < 2; i++)
            {
                var stride = i == 0 && width > 64 ? 2 : 1;
                var y = Conv(net, Conv(net, x, width, 3, stride, Activation.ReLU), width, 3, 1, Activation.None);
                var shortcut = channels == width ? x : Conv(net, x, width, 1, stride, Activation.None);
                x = net.Activation(net.Add([y, shortcut]), Activation.ReLU);
                channels = width;
            }
        }

        return Classifier(net, x);
    }
}
