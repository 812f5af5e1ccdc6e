using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using SeparableConv.Networks;
using OrtSession = Microsoft.ML.OnnxRuntime.InferenceSession;
using OrtType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace SeparableConv.Bench;

/// <summary>
/// A model in ONNX Runtime, beside which ours are measured: all of its optimizations, and its threads spin while it runs, as by default,
/// but not on into the time when the other side is measured. Inputs and outputs are bound once and lie where its kernels read and write
/// them, as a session of ours has them: a timed run copies nothing.
/// </summary>
internal sealed class OrtModel : IDisposable
{
    private static readonly (OrtType Theirs, ElementType Ours)[] Types =
    [
        (OrtType.Float, ElementType.Float32),
        (OrtType.Double, ElementType.Float64),
        (OrtType.Float16, ElementType.Float16),
        (OrtType.Int8, ElementType.Int8),
        (OrtType.UInt8, ElementType.UInt8),
        (OrtType.Int16, ElementType.Int16),
        (OrtType.UInt16, ElementType.UInt16),
        (OrtType.Int32, ElementType.Int32),
        (OrtType.UInt32, ElementType.UInt32),
        (OrtType.Int64, ElementType.Int64),
        (OrtType.UInt64, ElementType.UInt64),
        (OrtType.Bool, ElementType.Bool),
    ];

    private readonly OrtSession _session;
    private readonly RunOptions _options = new();
    private readonly Dictionary<string, OrtValue> _inputs = [];
    private OrtIoBinding? _binding;
    private OrtValue[] _outputs = [];

    private OrtModel(OrtSession session)
    {
        _session = session;
        foreach (var (name, data) in RandomInputs())
            SetInput(name, data);
    }

    /// <summary>Loads a file for a number of threads.</summary>
    public static OrtModel Load(string path, int threads)
    {
        using var options = Options(threads);
        return new OrtModel(new OrtSession(path, options));
    }

    /// <summary>Loads a model that was written for the purpose.</summary>
    public static OrtModel Load(OnnxModel model, int threads)
    {
        using var options = Options(threads);
        return new OrtModel(new OrtSession(model.ToArray(), options));
    }

    /// <summary>The inputs as the file declares them; a length that it leaves open is 1 here.</summary>
    public IEnumerable<(string Name, TensorType Type)> DeclaredInputs() => _session.InputNames.Select(name =>
    {
        var declared = _session.InputMetadata[name];
        if (!declared.IsTensor)
            throw new NotSupportedException($"The input '{name}' is no tensor.");
        return (name, new TensorType(OursOf(declared.ElementDataType), new(Array.ConvertAll(declared.Dimensions, n => Math.Max(n, 1)))));
    });

    /// <summary>Random numbers of the types that are declared, the same in every run.</summary>
    public Dictionary<string, TensorData> RandomInputs() =>
        DeclaredInputs().ToDictionary(input => input.Name, input => BenchData.Tensor(input.Type, seed: 1));

    /// <summary>Gives an input its numbers, and its shape where the file leaves that open; before, it has random ones.</summary>
    public void SetInput(string name, TensorData data)
    {
        Unbind();
        if (_inputs.Remove(name, out var old))
            old.Dispose();
        var type = Types.First(pair => pair.Ours == data.Type.Element).Theirs;
        var value = _inputs[name] = NewValue(type, Array.ConvertAll(data.Type.Shape.Lengths.ToArray(), length => (long)length));
        data.Bytes.CopyTo(value.GetTensorMutableRawData());
    }

    /// <summary>Runs it.</summary>
    public void Run()
    {
        if (_binding is null)
            Bind();
        _session.RunWithBinding(_options, _binding);
    }

    /// <summary>Runs it on the numbers of its one input, of float32, and gives one of the outputs.</summary>
    public float[] Run(ReadOnlySpan<float> input, int output = 0)
    {
        var (name, type) = DeclaredInputs().Single();
        SetInput(name, new TensorData(type, input.ToArray()));
        Run();
        return MemoryMarshal.Cast<byte, float>(Output(output).Bytes).ToArray();
    }

    /// <summary>A copy of an output of the last run.</summary>
    public TensorData Output(int index)
    {
        var value = _outputs[index];
        var info = value.GetTensorTypeAndShape();
        var shape = new TensorShape(Array.ConvertAll(info.Shape, length => checked((int)length)));
        var copy = TensorData.CreateZeros(new TensorType(OursOf(info.ElementDataType), shape));
        value.GetTensorMutableRawData().CopyTo(copy.Bytes);
        return copy;
    }

    /// <summary>The names of the outputs, in the order of the file.</summary>
    public IReadOnlyList<string> OutputNames => _session.OutputNames;

    /// <summary>Milliseconds of each of <paramref name="repeat"/> runs, after some that are not counted.</summary>
    public double[] Time(int repeat, int warmup = 1)
    {
        for (var i = 0; i < warmup; i++)
            Run();
        var times = new double[repeat];
        for (var i = 0; i < repeat; i++)
        {
            var start = Stopwatch.GetTimestamp();
            _session.RunWithBinding(_options, _binding);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        return times;
    }

    public void Dispose()
    {
        Unbind();
        foreach (var input in _inputs.Values)
            input.Dispose();
        _options.Dispose();
        _session.Dispose();
    }

    private static SessionOptions Options(int threads)
    {
        var options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.force_spinning_stop", "1");
        return options;
    }

    private static ElementType OursOf(OrtType type)
    {
        foreach (var (theirs, ours) in Types)
        {
            if (theirs == type)
                return ours;
        }

        throw new NotSupportedException($"Elements of {type} are not compared.");
    }

    private static OrtValue NewValue(OrtType type, long[] shape) =>
        OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, shape);

    // What shapes the outputs have only a run can tell, where the file leaves them open.
    private void Bind()
    {
        using var results = _session.Run(_options, _inputs, _session.OutputNames);
        if (results.Any(result => !result.IsTensor))
            throw new NotSupportedException("An output is no tensor.");
        _outputs = [.. results.Select(result => result.GetTensorTypeAndShape()).Select(info => NewValue(info.ElementDataType, info.Shape))];
        _binding = _session.CreateIoBinding();
        foreach (var (name, value) in _inputs)
            _binding.BindInput(name, value);
        for (var i = 0; i < _outputs.Length; i++)
            _binding.BindOutput(_session.OutputNames[i], _outputs[i]);
    }

    private void Unbind()
    {
        _binding?.Dispose();
        _binding = null;
        foreach (var output in _outputs)
            output.Dispose();
        _outputs = [];
    }
}
