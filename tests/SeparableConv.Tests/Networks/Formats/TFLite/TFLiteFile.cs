using System.Runtime.InteropServices;
using SeparableConv.Networks.Formats.TFLite;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>A hand-made TensorFlow Lite model: tensors and operators, then the file.</summary>
internal sealed class TFLiteFile
{
    private readonly List<FlatRecord> _tensors = [];
    private readonly List<FlatRecord> _nodes = [];
    private readonly List<FlatRecord> _codes;
    private readonly List<FlatRecord> _buffers;
    private readonly List<TFLiteFile> _branches = [];

    public TFLiteFile()
        : this([], [[]])
    {
    }

    private TFLiteFile(List<FlatRecord> codes, List<FlatRecord> buffers) => (_codes, _buffers) = (codes, buffers);

    public int[] Inputs { get; set; } = [];

    public int[] Outputs { get; set; } = [];

    public List<FlatRecord> Tensors => _tensors;

    public List<FlatRecord> Nodes => _nodes;

    public List<FlatRecord> Codes => _codes;

    public int Tensor(ElementType element, int[] shape, params (float Scale, int ZeroPoint)[] quantization)
    {
        var tensor = new FlatRecord { [0] = shape, [1] = Code(element), [3] = $"t{_tensors.Count}" };
        if (quantization.Length > 0)
            tensor[4] = Quantization(quantization, 0);
        _tensors.Add(tensor);
        return _tensors.Count - 1;
    }

    /// <summary>Another graph of the same file; the first one has the number 1.</summary>
    public TFLiteFile Branch()
    {
        _branches.Add(new(_codes, _buffers));
        return _branches[^1];
    }

    /// <summary>What a VAR_HANDLE gives.</summary>
    public int Variable(string name)
    {
        _tensors.Add(new() { [0] = new int[0], [1] = (byte)13, [3] = $"t{_tensors.Count}" });
        Operator(BuiltinOperator.VAR_HANDLE, [], [_tensors.Count - 1], 111, new() { [1] = name });
        return _tensors.Count - 1;
    }

    public int Constant<T>(T[] values, int[] shape, params (float Scale, int ZeroPoint)[] quantization)
        where T : unmanaged => Constant(values, shape, 0, quantization);

    public int Constant<T>(T[] values, int[] shape, int axis, (float Scale, int ZeroPoint)[] quantization)
        where T : unmanaged
    {
        var index = Tensor(ElementTypes.Of<T>(), shape);
        _tensors[index][2] = _buffers.Count;
        _buffers.Add(new() { [0] = MemoryMarshal.AsBytes<T>(values).ToArray() });
        if (quantization.Length > 0)
            _tensors[index][4] = Quantization(quantization, axis);
        return index;
    }

    public void Operator(BuiltinOperator code, int[] inputs, int[] outputs, int optionsType = 0, FlatRecord? options = null)
    {
        var node = new FlatRecord { [0] = _codes.Count, [1] = inputs, [2] = outputs };
        if (options is not null)
            (node[3], node[4]) = ((byte)optionsType, options);
        _nodes.Add(node);
        _codes.Add(new() { [0] = (byte)Math.Min((int)code, 127), [3] = (int)code });
    }

    public void Custom(string name, byte[] options, int[] inputs, int[] outputs)
    {
        _nodes.Add(new() { [0] = _codes.Count, [1] = inputs, [2] = outputs, [5] = options });
        _codes.Add(new() { [0] = (byte)BuiltinOperator.CUSTOM, [1] = name, [3] = (int)BuiltinOperator.CUSTOM });
    }

    public FlatRecord ToRecord() => new()
    {
        [0] = 3,
        [1] = _codes.ToArray(),
        [2] = (FlatRecord[])[Graph("main"), .. _branches.Select((branch, i) => branch.Graph($"graph{i + 1}"))],
        [4] = _buffers.ToArray(),
    };

    public byte[] ToBytes() => ToRecord().ToFile();

    public Network Read(TFLiteReadOptions? options = null) => TFLiteReader.Read(ToBytes(), options);

    /// <summary>The bytes of the first output, from those of the inputs.</summary>
    public byte[] Run(params byte[][] inputs)
    {
        using var session = new InferenceSession(Read(), new() { Threads = 1 });
        for (var i = 0; i < inputs.Length; i++)
            inputs[i].CopyTo(session.InputBytes(i));
        session.Run();
        return session.OutputBytes(0).ToArray();
    }

    private FlatRecord Graph(string name) =>
        new() { [0] = _tensors.ToArray(), [1] = Inputs, [2] = Outputs, [3] = _nodes.ToArray(), [4] = name };

    private static FlatRecord Quantization((float Scale, int ZeroPoint)[] pairs, int axis) => new()
    {
        [2] = Array.ConvertAll(pairs, pair => pair.Scale),
        [3] = Array.ConvertAll(pairs, pair => (long)pair.ZeroPoint),
        [6] = axis,
    };

    private static byte Code(ElementType element) => element switch
    {
        ElementType.Float32 => 0,
        ElementType.Float16 => 1,
        ElementType.Int32 => 2,
        ElementType.UInt8 => 3,
        ElementType.Int64 => 4,
        ElementType.Bool => 6,
        ElementType.Int16 => 7,
        _ => 9,
    };
}
