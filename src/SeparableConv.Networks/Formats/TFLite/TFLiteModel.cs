namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// The tables of a TensorFlow Lite file that say what its main graph computes. Nothing here knows what operators mean.
/// </summary>
internal sealed class TFLiteModel
{
    private readonly FlatBuffer _file;
    private readonly FlatTable[] _buffers;

    private TFLiteModel(FlatBuffer file, FlatTable root, FlatTable graph)
    {
        _file = file;
        _buffers = root.Tables(4);
        Name = graph.Name(4);
        var tensors = graph.Tables(0);
        Tensors = new TFLiteTensor[tensors.Length];
        for (var i = 0; i < tensors.Length; i++)
            Tensors[i] = TFLiteTensor.Read(i, tensors[i]);
        Inputs = Indices(graph, 1, "the list of inputs");
        Outputs = Indices(graph, 2, "the list of outputs");

        var codes = Array.ConvertAll(root.Tables(1), ReadCode);
        var nodes = graph.Tables(3);
        Nodes = new TFLiteNode[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
            Nodes[i] = ReadNode(i, nodes[i], codes);
    }

    /// <summary>The graph's name; may be empty.</summary>
    public string Name { get; }

    public TFLiteTensor[] Tensors { get; }

    public int[] Inputs { get; }

    public int[] Outputs { get; }

    public TFLiteNode[] Nodes { get; }

    /// <summary>The tables of a file.</summary>
    /// <exception cref="NetworkException">It is no TensorFlow Lite file, or it is damaged.</exception>
    public static TFLiteModel Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 8 || !bytes.Span.Slice(4, 4).SequenceEqual("TFL3"u8))
            throw new NetworkException("This is no TensorFlow Lite file: bytes 4 to 7 are not TFL3.");
        var file = new FlatBuffer(bytes);
        var root = FlatTable.Root(file);
        var graphs = root.Tables(2);
        if (graphs.Length == 0)
            throw new NetworkException("The TensorFlow Lite file has no graph; it must have one at least.");
        return new TFLiteModel(file, root, graphs[0]);
    }

    /// <summary>Whether the file holds numbers for a tensor.</summary>
    public bool HasData(TFLiteTensor tensor) => !Data(tensor).IsEmpty;

    /// <summary>A copy of the numbers that the file holds for a tensor.</summary>
    /// <exception cref="NetworkException">They are not as many as its shape says, or of a kind that is not supported.</exception>
    public TensorData ReadData(TFLiteTensor tensor)
    {
        var what = $"Tensor {tensor.Index} '{tensor.Name}'";
        if (tensor.Element is not { } element)
            throw new NetworkException($"{what} has elements of {tensor.TypeName}, which are not supported.");
        if (tensor.IsSparse)
            throw new NetworkException($"{what} is stored as a sparse tensor, which is not supported; convert the model without sparsity.");
        var data = Data(tensor);
        TensorType type;
        try
        {
            type = new TensorType(element, new TensorShape(tensor.Shape), tensor.ReadQuantization());
            if (type.Bytes != data.Length)
                throw new NetworkException($"{what} is {type}, {type.Bytes} bytes, but the file holds {data.Length} bytes for it.");
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new NetworkException($"{what}: {e.Message}", e);
        }

        _file.Spend(data.Length);
        var result = TensorData.CreateZeros(type);
        data.CopyTo(result.Bytes);
        if (element == ElementType.Bool)
        {
            // A bool that is neither 0 nor 1 is none in .NET.
            foreach (ref var b in result.Bytes)
                b = b == 0 ? (byte)0 : (byte)1;
        }

        return result;
    }

    private ReadOnlySpan<byte> Data(TFLiteTensor tensor)
    {
        if (tensor.Buffer >= (uint)_buffers.Length)
            throw FlatBuffer.Damaged($"tensor {tensor.Index} is in buffer {tensor.Buffer} of {_buffers.Length}");
        var buffer = _buffers[tensor.Buffer];

        // Files above 2 GB keep their numbers behind the tables, at a place that the buffer names.
        var (offset, size) = (buffer.UInt64(1), buffer.UInt64(2));
        return offset > 1 && size > 0
            ? _file.Slice((long)Math.Min(offset, int.MaxValue), (long)Math.Min(size, int.MaxValue))
            : buffer.Vector(0, 1);
    }

    private static (BuiltinOperator Code, string Kind) ReadCode(FlatTable table)
    {
        // Codes above 127 did not fit the first field; writers fill both, with 127 in the first.
        var code = Math.Max((int)(sbyte)table.Byte(0), table.Int32(3));
        return code == (int)BuiltinOperator.CUSTOM
            ? (BuiltinOperator.CUSTOM, $"custom operator '{table.Name(1)}'")
            : ((BuiltinOperator)code, Enum.GetName((BuiltinOperator)code) ?? $"OPERATOR_{code}");
    }

    private TFLiteNode ReadNode(int index, FlatTable table, (BuiltinOperator Code, string Kind)[] codes)
    {
        var code = table.UInt32(0);
        if (code >= (uint)codes.Length)
            throw FlatBuffer.Damaged($"operator {index} has code {code} of {codes.Length}");
        var inputs = Indices(table, 1, $"the inputs of operator {index}", allowMissing: true);
        var outputs = Indices(table, 2, $"the outputs of operator {index}");
        return new(index, codes[code].Code, codes[code].Kind, inputs, outputs, table.Byte(3), table.Table(4));
    }

    private int[] Indices(FlatTable table, int field, string what, bool allowMissing = false)
    {
        var indices = table.Array<int>(field, what);
        foreach (var index in indices)
        {
            if (index >= Tensors.Length || index < (allowMissing ? -1 : 0))
                throw FlatBuffer.Damaged($"{what} names tensor {index} of {Tensors.Length}");
        }

        return indices;
    }
}

/// <summary>An operator as the file describes it.</summary>
/// <param name="Index">Its number in the graph.</param>
/// <param name="Code">Which operator.</param>
/// <param name="Kind">The schema's name of it, or a custom operator's own.</param>
/// <param name="Inputs">The tensors it reads; -1 where an optional one is not there.</param>
/// <param name="Outputs">The tensors it computes.</param>
/// <param name="OptionsType">Which kind of options it has, as the schema numbers them.</param>
/// <param name="OptionsTable">The options, where it has any.</param>
internal sealed record TFLiteNode(
    int Index, BuiltinOperator Code, string Kind, int[] Inputs, int[] Outputs, int OptionsType, FlatTable? OptionsTable)
{
    /// <summary>The options, where they are of the kind that the operator has; else none, with every field at its default.</summary>
    public FlatTable Options(int type) => OptionsType == type && OptionsTable is { } table ? table : default;

    /// <summary>Number and name, for messages.</summary>
    public override string ToString() => $"operator {Index} ({Kind})";
}
