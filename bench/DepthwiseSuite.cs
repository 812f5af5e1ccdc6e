using System.Globalization;
using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// Depthwise convolutions of MobileNetV1's and V2's shapes, bias and ReLU6 fused, beside ONNX Runtime's.
/// </summary>
/// <remarks>
/// A layer takes microseconds and ONNX Runtime's binding takes longer than that, and it lays tensors out anew at the ends of a
/// graph. So its time for a layer is a difference of two graphs: with stride 1, a chain of 40 equal layers less a chain of 8,
/// over 32. A stride of 2 does not chain; there a stem layer feeds 17 or 1 branches, each a layer whose first pixel is kept by a
/// 1x1 pooling (which makes the layer run and costs next to nothing), and the pixels are added up. Ours are the same layers, called
/// one after another: a chain through two buffers with stride 1, the same input again and again with stride 2.
/// </remarks>
internal static class DepthwiseSuite
{
    private static readonly DepthwiseCase[] Shapes =
    [
        new("MobileNetV1", 112, 32, 1), new("MobileNetV1", 112, 64, 2), new("MobileNetV1", 56, 128, 1), new("MobileNetV1", 56, 128, 2),
        new("MobileNetV1", 28, 256, 1), new("MobileNetV1", 28, 256, 2), new("MobileNetV1", 14, 512, 1), new("MobileNetV1", 14, 512, 2),
        new("MobileNetV1", 7, 1024, 1), new("MobileNetV2", 112, 96, 2), new("MobileNetV2", 56, 144, 1), new("MobileNetV2", 56, 144, 2),
        new("MobileNetV2", 28, 192, 1), new("MobileNetV2", 28, 192, 2), new("MobileNetV2", 14, 384, 1), new("MobileNetV2", 14, 576, 1),
        new("MobileNetV2", 14, 576, 2), new("MobileNetV2", 7, 960, 1),
    ];

    /// <summary>Options: --threads 1,2; --width 256|512; --kernel 3|5; --only TEXT; --rounds N; --ours (no peer); --json FILE.</summary>
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args);
        var kernels = SuiteOptions.Value(args, "--kernel") is { } k ? [int.Parse(k, CultureInfo.InvariantCulture)] : new[] { 3, 5 };
        var alone = args.Contains("--ours");

        var table = new SideBySide($"depthwise, {options.Width}", "ours", alone ? "ours again" : "onnxruntime");
        foreach (var count in options.Threads)
        {
            foreach (var kernel in kernels)
            {
                foreach (var shape in Shapes)
                {
                    var name = $"{shape.Name(kernel)}, {count} thread{(count > 1 ? "s" : "")}";
                    if (!options.Wants(name))
                        continue;
                    var layers = new DepthwiseLayers(shape, kernel, options.Width);
                    MeasureShape(table, name, layers, alone, count, options.Rounds);
                }
            }
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }

    private static void MeasureShape(SideBySide table, string name, DepthwiseLayers layers, bool alone, int threads, int rounds)
    {
        // About 5 ms a sample, after a call to warm up on either side: by then the threads are awake.
        var repeat = Math.Max(1, (int)(0.5 / layers.Gigaflop / DepthwiseLayers.Count));
        double Ours()
        {
            layers.Run(threads);
            return SideBySide.Time(() => layers.Run(threads), repeat) / DepthwiseLayers.Count;
        }

        if (alone)
        {
            table.Measure(name, Ours, Ours, rounds, layers.Gigaflop);
            return;
        }

        var (many, few) = layers.IsChain ? (40, 8) : (17, 1);
        using var longer = OrtModel.Load(layers.Model(many), threads);
        using var shorter = OrtModel.Load(layers.Model(few), threads);
        layers.Check(threads);
        double Theirs() => (SideBySide.Median(longer.Time(repeat)) - SideBySide.Median(shorter.Time(repeat))) / (many - few);

        table.Measure(name, Ours, Theirs, rounds, layers.Gigaflop, SideBySide.PauseFor(threads));
    }
}

/// <summary>A layer of a network: a square image, padding "same".</summary>
internal sealed record DepthwiseCase(string Network, int Size, int Channels, int Stride)
{
    public string Name(int kernel) => $"{Network}_{Size}x{Size}x{Channels}_k{kernel}" + (Stride > 1 ? $"_s{Stride}" : "");
}

/// <summary>Equal layers with weights of their own, for us and as a model for ONNX Runtime.</summary>
internal sealed unsafe class DepthwiseLayers
{
    /// <summary>Layers that one call of ours runs.</summary>
    public const int Count = 20;

    private readonly DepthwiseCase _shape;
    private readonly int _kernel;
    private readonly ConvGeometry _geometry;
    private readonly float[][] _weights;
    private readonly float[] _bias;
    private readonly DepthwiseLoop[] _layers;
    private readonly PackedBuffer _first;
    private readonly PackedBuffer _second;

    public DepthwiseLayers(DepthwiseCase shape, int kernel, SimdWidth width)
    {
        (_shape, _kernel) = (shape, kernel);
        var random = new Random(11);
        _geometry = ConvGeometry.Create(
            1, shape.Size, shape.Channels, shape.Channels, kernel, shape.Stride, 1, Padding.Same, shape.Channels);
        _bias = [.. Enumerable.Range(0, shape.Channels).Select(_ => 0.1f * random.NextSingle())];

        // Averages, a little disturbed: a long chain neither dies out in denormals nor grows.
        _weights = [.. Enumerable.Range(0, Count).Select(_ => Enumerable.Range(0, kernel * kernel * shape.Channels)
            .Select(_ => (0.7f + (0.6f * random.NextSingle())) / (kernel * kernel)).ToArray())];
        _layers = [.. _weights.Select(w => new DepthwiseLoop(w, kernel, shape.Channels, 1, _bias, Activation.ReLU6, width))];
        _first = new PackedBuffer((nint)shape.Size * shape.Size * shape.Channels);
        _second = new PackedBuffer(_first.Length);
        for (nint i = 0; i < _first.Length; i++)
            _first.Pointer[i] = random.NextSingle();
    }

    public bool IsChain => _shape.Stride == 1;

    public double Gigaflop => 2e-9 * _kernel * _kernel * _geometry.Rows.Out * _geometry.Columns.Out * _shape.Channels;

    public void Run(int threads)
    {
        for (var i = 0; i < Count; i++)
        {
            var (from, to) = IsChain && i % 2 == 1 ? (_second, _first) : (_first, _second);
            _layers[i].Run(from.Pointer, to.Pointer, _geometry, threads);
        }
    }

    /// <summary>The same layers for ONNX Runtime; with <paramref name="whole"/> the whole output of one layer is the graph's.</summary>
    public OnnxModel Model(int count, bool whole = false)
    {
        var model = new OnnxModel();
        var value = model.Input(1, _shape.Channels, _shape.Size, _shape.Size);
        if (IsChain || whole)
        {
            for (var i = 0; i < count; i++)
                value = Layer(model, value, i, _shape.Stride);
            model.Output(value);
            return model;
        }

        var stem = Layer(model, value, 0, 1);
        string? sum = null;
        for (var i = 0; i < count; i++)
        {
            var pixel = model.MaxPool(Layer(model, stem, i, _shape.Stride), 1, _geometry.Rows.Out);
            sum = sum is null ? pixel : model.Add(sum, pixel);
        }

        model.Output(sum!);
        return model;
    }

    /// <summary>Compares one layer's output with ONNX Runtime's.</summary>
    public void Check(int threads)
    {
        var size = _shape.Size;
        var input = new float[_first.Length];
        for (var pixel = 0; pixel < size * size; pixel++)
        {
            for (var c = 0; c < _shape.Channels; c++)
                input[(c * size * size) + pixel] = _first.Pointer[(pixel * _shape.Channels) + c];
        }

        using var peer = OrtModel.Load(Model(1, whole: true), threads);
        var theirs = peer.Run(input);
        _layers[0].Run(_first.Pointer, _second.Pointer, _geometry, threads);
        var pixels = _geometry.Rows.Out * _geometry.Columns.Out;
        for (var i = 0; i < theirs.Length; i++)
        {
            var ours = _second.Pointer[(i % pixels * _shape.Channels) + (i / pixels)];
            if (!(Math.Abs(ours - theirs[i]) <= 1e-5f))
            {
                throw new InvalidOperationException(
                    $"{_shape.Name(_kernel)}: ours is {ours} where ONNX Runtime's is {theirs[i]} (element {i}).");
            }
        }
    }

    private string Layer(OnnxModel model, string input, int index, int stride)
    {
        var (taps, channels) = (_kernel * _kernel, _shape.Channels);
        var weights = new float[taps * channels];
        for (var tap = 0; tap < taps; tap++)
        {
            for (var c = 0; c < channels; c++)
                weights[(c * taps) + tap] = _weights[index % Count][(tap * channels) + c];
        }

        var total = Math.Max(0, ((((_shape.Size + stride - 1) / stride) - 1) * stride) + _kernel - _shape.Size);
        var (before, after) = (total / 2, total - (total / 2));
        var shape = new ConvShape(channels, 1, channels, _kernel, stride);
        return model.Clip(model.Conv(input, shape, weights, _bias, [before, before, after, after]), 0, 6);
    }
}
