using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>
/// Standard 3x3 convolutions of VGG's and ResNet's shapes, and some with few filters, bias and ReLU fused, beside ONNX Runtime's.
/// </summary>
/// <remarks>
/// ONNX Runtime lays tensors out anew at the ends of a graph. So its time for a layer is a difference of two graphs: a 1x1 stem
/// feeds 4 or 1 branches, each a layer whose first pixel is kept by a 1x1 pooling, and the pixels are added up. The layers that
/// read the 3 channels of a picture have no stem: there the layout is part of the work.
/// </remarks>
internal static unsafe class StandardSuite
{
    private static readonly StandardCase[] Shapes =
    [
        new("VGG", 224, 3, 64), new("VGG", 224, 64, 64), new("VGG", 112, 64, 128), new("VGG", 112, 128, 128), new("VGG", 56, 128, 256),
        new("VGG", 56, 256, 256), new("VGG", 28, 256, 512), new("VGG", 28, 512, 512), new("VGG", 14, 512, 512),
        new("ResNet", 56, 64, 64), new("ResNet", 28, 128, 128), new("ResNet", 14, 256, 256), new("ResNet", 7, 512, 512),
        new("ResNet", 56, 64, 128, 2), new("ResNet", 28, 128, 256, 2), new("ResNet", 14, 256, 512, 2), new("ResNet", 224, 3, 64, 2, 7),
        new("Color", 256, 32, 2), new("Style", 224, 32, 3, 1, 9), new("Segmentation", 256, 32, 4, 1, 1),
        new("Segmentation", 128, 16, 1, 1, 1), new("MesoNet", 128, 8, 8, 1, 5),
    ];

    /// <summary>
    /// Also: --limit peak, to compare with the multiply-add peak in place of ONNX Runtime; --form direct|winograd|auto, auto
    /// being what Conv2D chooses. GFLOP/s are those of the direct form.
    /// </summary>
    public static int Run(string[] args)
    {
        var options = SuiteOptions.Parse(args);
        var peak = SuiteOptions.Value(args, "--limit") == "peak";
        var form = SuiteOptions.Value(args, "--form") is { } word ? Enum.Parse<StandardForm>(word, ignoreCase: true) : StandardForm.Auto;
        var table = new SideBySide($"standard {form}, {options.Width}", "ours", peak ? "multiply-add peak" : "onnxruntime");
        foreach (var threads in options.Threads)
        {
            foreach (var shape in Shapes)
            {
                var name = $"{shape.Name}, {threads} thread{(threads > 1 ? "s" : "")}";
                if (options.Wants(name))
                    Measure(table, name, new StandardShape(shape, options.Width, form), options, peak, threads);
            }
        }

        table.PrintSummary();
        table.SaveJson(options.Json);
        return 0;
    }

    private static void Measure(SideBySide table, string name, StandardShape layer, SuiteOptions options, bool peak, int threads)
    {
        var repeat = Math.Max(4, (int)(2 / layer.Gigaflop));
        double Ours()
        {
            // Several milliseconds may pass until a thread that slept shares the work: as long again goes before the sample.
            if (threads > 1)
                SideBySide.Time(() => layer.Run(threads), repeat);
            return SideBySide.Time(() => layer.Run(threads), repeat);
        }

        if (peak)
        {
            table.Measure(
                name,
                Ours,
                () => layer.Gigaflop / MachineLimits.PeakGflops(options.Width, 1) * 1000 / threads,
                options.Rounds,
                layer.Gigaflop);
            return;
        }

        layer.Check(threads);
        using var many = OrtModel.Load(layer.Model(4), threads);
        using var few = OrtModel.Load(layer.Model(1), threads);
        double Theirs() => (SideBySide.Median(many.Time(repeat)) - SideBySide.Median(few.Time(repeat))) / 3;

        table.Measure(name, Ours, Theirs, options.Rounds, layer.Gigaflop, SideBySide.PauseFor(threads));
    }
}

/// <summary>A layer of a network: a square image, padding "same".</summary>
internal sealed record StandardCase(string Network, int Size, int In, int Out, int Stride = 1, int Kernel = 3)
{
    public string Name => $"{Network}_{Size}x{Size}_{In}_{Out}_k{Kernel}" + (Stride > 1 ? $"_s{Stride}" : "");
}

/// <summary>The layer for us and as a model for ONNX Runtime.</summary>
internal sealed unsafe class StandardShape
{
    private readonly StandardCase _shape;
    private readonly ConvGeometry _geometry;
    private readonly float[] _weights;
    private readonly float[] _bias;
    private readonly StandardForms _kernel;
    private readonly PackedBuffer _input;
    private readonly PackedBuffer _output;

    public StandardShape(StandardCase shape, SimdWidth width, StandardForm form)
    {
        _shape = shape;
        _geometry = ConvGeometry.Create(1, shape.Size, shape.In, shape.Out, shape.Kernel, shape.Stride, 1, Padding.Same);
        _weights = BenchData.Floats(shape.Kernel * shape.Kernel * shape.In * shape.Out, 2);
        _bias = BenchData.Floats(shape.Out, 3);
        var options = new ConvOptions { Stride = shape.Stride, Activation = Activation.ReLU };
        _kernel = new StandardForms(_weights, shape.Kernel, shape.In, shape.Out, options, _bias, width, form);
        _input = BenchData.Buffer((nint)shape.Size * shape.Size * shape.In);
        _output = new PackedBuffer((nint)_geometry.Rows.Out * _geometry.Columns.Out * shape.Out);
    }

    public double Gigaflop => 2e-9 * _shape.Kernel * _shape.Kernel * _geometry.Rows.Out * _geometry.Columns.Out * _shape.In * _shape.Out;

    public void Run(int threads) => _kernel.Run(_input.Pointer, _output.Pointer, _geometry, threads);

    public OnnxModel Model(int branches)
    {
        var model = new OnnxModel();
        var value = model.Input(1, _shape.In, _shape.Size, _shape.Size);
        if (_shape.In > 3)
            value = model.Conv(
                value, new ConvShape(_shape.In, _shape.In, 1, 1, 1), BenchData.Floats(_shape.In * _shape.In, 4), null, [0, 0, 0, 0]);
        string? sum = null;
        for (var i = 0; i < branches; i++)
        {
            var pixel = model.MaxPool(Layer(model, value), 1, _geometry.Rows.Out);
            sum = sum is null ? pixel : model.Add(sum, pixel);
        }

        model.Output(sum!);
        return model;
    }

    /// <summary>Compares the layer's output with ONNX Runtime's.</summary>
    public void Check(int threads)
    {
        var model = new OnnxModel();
        model.Output(Layer(model, model.Input(1, _shape.In, _shape.Size, _shape.Size)));
        var (size, channels) = (_shape.Size * _shape.Size, _shape.In);
        var input = new float[_input.Length];
        for (var i = 0; i < input.Length; i++)
            input[(i % channels * size) + (i / channels)] = _input.Pointer[i];
        using var peer = OrtModel.Load(model, threads);
        var theirs = peer.Run(input);
        Run(threads);
        var pixels = _geometry.Rows.Out * _geometry.Columns.Out;
        for (var i = 0; i < theirs.Length; i++)
        {
            var ours = _output.Pointer[(i % pixels * _shape.Out) + (i / pixels)];
            if (!(Math.Abs(ours - theirs[i]) <= 1e-4f * (1 + Math.Abs(ours))))
                throw new InvalidOperationException($"{_shape.Name}: ours is {ours} where ONNX Runtime's is {theirs[i]} (element {i}).");
        }
    }

    private string Layer(OnnxModel model, string input)
    {
        var (k, channels, filters) = (_shape.Kernel, _shape.In, _shape.Out);
        var weights = new float[_weights.Length];
        for (var tap = 0; tap < k * k; tap++)
        {
            for (var c = 0; c < channels; c++)
            {
                for (var o = 0; o < filters; o++)
                    weights[(((o * channels) + c) * k * k) + tap] = _weights[(((tap * channels) + c) * filters) + o];
            }
        }

        var (rows, columns) = (_geometry.Rows, _geometry.Columns);
        var shape = new ConvShape(filters, channels, 1, k, _shape.Stride);
        return model.Relu(model.Conv(input, shape, weights, _bias, [rows.PadBefore, columns.PadBefore, rows.PadAfter, columns.PadAfter]));
    }
}
