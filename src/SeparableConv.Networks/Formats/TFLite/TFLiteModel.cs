namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// The tables of a TensorFlow Lite file that say what its graphs compute. Nothing here knows what operators mean.
/// </summary>
internal sealed class TFLiteModel
{
    private readonly FlatBuffer _file;
    private readonly FlatTable[] _buffers;
    private readonly FlatTable[] _graphTables;
    private readonly TFLiteGraph?[] _graphs;
    private readonly (BuiltinOperator Code, string Custom)[] _codes;

    private TFLiteModel(FlatBuffer file, FlatTable root)
    {
        _file = file;
        _buffers = root.Tables(4);
        _graphTables = root.Tables(2);
        _graphs = new TFLiteGraph?[_graphTables.Length];
        if (_graphs.Length == 0)
            throw new NetworkException("The TensorFlow Lite file has no graph; it must have one at least.");
        _codes = Array.ConvertAll(root.Tables(1), ReadCode);
        Main = Graph(0);
    }

    /// <summary>The graph that is run.</summary>
    public TFLiteGraph Main { get; }

    /// <summary>The tables of a file.</summary>
    /// <exception cref="NetworkException">It is no TensorFlow Lite file, or it is damaged.</exception>
    public static TFLiteModel Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 8 || !bytes.Span.Slice(4, 4).SequenceEqual("TFL3"u8))
            throw new NetworkException("This is no TensorFlow Lite file: bytes 4 to 7 are not TFL3.");
        var file = new FlatBuffer(bytes);
        return new TFLiteModel(file, FlatTable.Root(file));
    }

    /// <summary>A graph, by its number: the main one, a branch of an operator, or what is run once.</summary>
    /// <exception cref="NetworkException">There is none, or it is damaged.</exception>
    public TFLiteGraph Graph(int index)
    {
        if (index < 0 || index >= _graphs.Length)
            throw FlatBuffer.Damaged($"an operator names graph {index} of {_graphs.Length}");
        return _graphs[index] ??= new TFLiteGraph(_graphTables[index], _codes);
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
        var data = Data(tensor);
        TensorType type;
        try
        {
            type = new TensorType(element, new TensorShape(tensor.Shape), tensor.ReadQuantization());
            if (type.Bytes != data.Length && tensor.Sparsity is null)
                throw new NetworkException($"{what} is {type}, {type.Bytes} bytes, but the file holds {data.Length} bytes for it.");
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new NetworkException($"{what}: {e.Message}", e);
        }

        _file.Spend(type.Bytes);
        var result = TensorData.CreateZeros(type);
        if (tensor.Sparsity is { } sparsity)
            new SparseTensor(sparsity, tensor.Shape, element.Size(), tensor.Index).Fill(data, result.Bytes);
        else
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

    private static (BuiltinOperator Code, string Custom) ReadCode(FlatTable table)
    {
        // Codes above 127 did not fit the first field; writers fill both, with 127 in the first.
        var code = Math.Max((int)(sbyte)table.Byte(0), table.Int32(3));
        return code == (int)BuiltinOperator.CUSTOM
            ? (BuiltinOperator.CUSTOM, table.Name(1))
            : ((BuiltinOperator)code, "");
    }
}

/// <summary>One graph of a file.</summary>
internal sealed class TFLiteGraph
{
    public TFLiteGraph(FlatTable graph, (BuiltinOperator Code, string Custom)[] codes)
    {
        Name = graph.Name(4);
        var tensors = graph.Tables(0);
        Tensors = new TFLiteTensor[tensors.Length];
        for (var i = 0; i < tensors.Length; i++)
            Tensors[i] = TFLiteTensor.Read(i, tensors[i]);
        Inputs = Indices(graph, 1, "the list of inputs");
        Outputs = Indices(graph, 2, "the list of outputs");

        var nodes = graph.Tables(3);
        Nodes = new TFLiteNode[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
            Nodes[i] = ReadNode(i, nodes[i], codes);
    }

    /// <summary>Its name; may be empty.</summary>
    public string Name { get; }

    public TFLiteTensor[] Tensors { get; }

    public int[] Inputs { get; }

    public int[] Outputs { get; }

    public TFLiteNode[] Nodes { get; }

    private TFLiteNode ReadNode(int index, FlatTable table, (BuiltinOperator Code, string Custom)[] codes)
    {
        var code = table.UInt32(0);
        if (code >= (uint)codes.Length)
            throw FlatBuffer.Damaged($"operator {index} has code {code} of {codes.Length}");
        var inputs = Indices(table, 1, $"the inputs of operator {index}", allowMissing: true);
        var outputs = Indices(table, 2, $"the outputs of operator {index}");
        return new(index, codes[code].Code, codes[code].Custom, inputs, outputs, table);
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
/// <param name="Custom">A custom operator's own name; else empty.</param>
/// <param name="Inputs">The tensors it reads; -1 where an optional one is not there.</param>
/// <param name="Outputs">The tensors it computes.</param>
/// <param name="Table">The file's own record.</param>
internal sealed record TFLiteNode(int Index, BuiltinOperator Code, string Custom, int[] Inputs, int[] Outputs, FlatTable Table)
{
    /// <summary>The schema's name of it, or a custom operator's own.</summary>
    public string Kind => Code == BuiltinOperator.CUSTOM ? $"custom operator '{Custom}'" : Enum.GetName(Code) ?? $"OPERATOR_{(int)Code}";

    /// <summary>The options of a custom operator, in whatever form it has them.</summary>
    public ReadOnlySpan<byte> CustomOptions => Table.Vector(5, 1);

    /// <summary>The options, where they are of the kind that the operator has; else none, with every field at its default.</summary>
    /// <param name="type">Which kind, as the schema numbers them.</param>
    public FlatTable Options(int type) => Table.Byte(3) == type && Table.Table(4) is { } table ? table : default;

    /// <summary>Number and name, for messages.</summary>
    public override string ToString() => $"operator {Index} ({Kind})";
}
