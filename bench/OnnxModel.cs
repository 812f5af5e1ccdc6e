using System.Buffers.Binary;
using System.Text;

namespace SeparableConv.Bench;

/// <summary>
/// Writes small ONNX models (opset 13) for ONNX Runtime to run beside us: one input, nodes in the order they are added.
/// Every method that adds a node returns the name of its output. Only what the benchmarks need of the format is here.
/// </summary>
internal sealed class OnnxModel
{
    private readonly MemoryStream _graph = new();
    private readonly MemoryStream _initializers = new();
    private readonly MemoryStream _outputs = new();
    private readonly MemoryStream _inputs = new();
    private int _names;

    /// <summary>The input, NCHW.</summary>
    public string Input(params int[] dims)
    {
        var shape = new MemoryStream();
        foreach (var dim in dims)
            WriteBytes(shape, 1, Message(m => WriteNumber(m, 1, dim)));
        WriteBytes(_inputs, 11, ValueInfo("input", shape));
        return "input";
    }

    /// <summary>Names a value as an output of the graph.</summary>
    public void Output(string value) => WriteBytes(_outputs, 12, ValueInfo(value, null));

    /// <summary>A convolution: weights (O, I/group, kH, kW), bias (O).</summary>
    /// <param name="pads">Top, left, bottom, right.</param>
    public string Conv(string input, ConvShape shape, float[] weights, float[]? bias, int[] pads)
    {
        var (kernelH, kernelW) = (shape.Kernel.Height, shape.Kernel.Width);
        var inputs = new List<string> { input, Initializer(weights, shape.OutChannels, shape.GroupChannels, kernelH, kernelW) };
        if (bias is not null)
            inputs.Add(Initializer(bias, shape.OutChannels));
        return Node(
            "Conv",
            inputs,
            ("kernel_shape", [kernelH, kernelW]),
            ("strides", [shape.Stride.Height, shape.Stride.Width]),
            ("dilations", [1, 1]),
            ("pads", pads),
            ("group", [shape.Groups]));
    }

    public string Relu(string input) => Node("Relu", [input]);

    public string Clip(string input, float minimum, float maximum) => Node("Clip", [input, Initializer([minimum]), Initializer([maximum])]);

    public string Add(string a, string b) => Node("Add", [a, b]);

    public string MaxPool(string input, Size2D kernel, Size2D stride) => Node(
        "MaxPool", [input], ("kernel_shape", [kernel.Height, kernel.Width]), ("strides", [stride.Height, stride.Width]));

    /// <summary>The model as a file has it.</summary>
    public byte[] ToArray()
    {
        var graph = new MemoryStream();
        _graph.WriteTo(graph);
        WriteText(graph, 2, "bench");
        _initializers.WriteTo(graph);
        _inputs.WriteTo(graph);
        _outputs.WriteTo(graph);

        var file = new MemoryStream();
        WriteNumber(file, 1, 8);
        WriteText(file, 2, "SeparableConv.Bench");
        WriteBytes(file, 7, graph);
        WriteBytes(file, 8, Message(m => WriteNumber(m, 2, 13)));
        return file.ToArray();
    }

    private string Node(string operation, List<string> inputs, params (string Name, int[] Values)[] attributes)
    {
        var output = "v" + ++_names;
        WriteBytes(_graph, 1, Message(node =>
        {
            foreach (var input in inputs)
                WriteText(node, 1, input);
            WriteText(node, 2, output);
            WriteText(node, 3, "n" + _names);
            WriteText(node, 4, operation);
            foreach (var (name, values) in attributes)
                WriteBytes(node, 5, Attribute(name, values));
        }));
        return output;
    }

    // group is the one attribute that is a single integer (type 2); all others are lists (type 7).
    private static MemoryStream Attribute(string name, int[] values) => Message(attribute =>
    {
        WriteText(attribute, 1, name);
        foreach (var value in values)
            WriteNumber(attribute, name == "group" ? 3 : 8, value);
        WriteNumber(attribute, 20, name == "group" ? 2 : 7);
    });

    private string Initializer(float[] values, params int[] dims)
    {
        var name = "w" + ++_names;
        WriteBytes(_initializers, 5, Message(tensor =>
        {
            foreach (var dim in dims)
                WriteNumber(tensor, 1, dim);
            WriteNumber(tensor, 2, 1);
            WriteText(tensor, 8, name);
            var raw = new byte[values.Length * sizeof(float)];
            for (var i = 0; i < values.Length; i++)
                BinaryPrimitives.WriteSingleLittleEndian(raw.AsSpan(i * sizeof(float)), values[i]);
            WriteBytes(tensor, 9, new MemoryStream(raw));
        }));
        return name;
    }

    private static MemoryStream ValueInfo(string name, MemoryStream? shape) => Message(info =>
    {
        WriteText(info, 1, name);
        WriteBytes(info, 2, Message(type => WriteBytes(type, 1, Message(tensor =>
        {
            WriteNumber(tensor, 1, 1);
            if (shape is not null)
                WriteBytes(tensor, 2, shape);
        }))));
    });

    private static MemoryStream Message(Action<MemoryStream> write)
    {
        var message = new MemoryStream();
        write(message);
        return message;
    }

    private static void WriteText(Stream stream, int field, string text) =>
        WriteBytes(stream, field, new MemoryStream(Encoding.UTF8.GetBytes(text)));

    private static void WriteBytes(Stream stream, int field, MemoryStream bytes)
    {
        WriteVarint(stream, (ulong)((field << 3) | 2));
        WriteVarint(stream, (ulong)bytes.Length);
        bytes.WriteTo(stream);
    }

    private static void WriteNumber(Stream stream, int field, long value)
    {
        WriteVarint(stream, (ulong)(field << 3));
        WriteVarint(stream, (ulong)value);
    }

    private static void WriteVarint(Stream stream, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            stream.WriteByte((byte)(value | 0x80));
        stream.WriteByte((byte)value);
    }
}

/// <summary>What an ONNX convolution is made of.</summary>
/// <param name="OutChannels">O.</param>
/// <param name="GroupChannels">Input channels of a group: 1 for a depthwise convolution.</param>
/// <param name="Groups">Groups.</param>
/// <param name="Kernel">Height and width of the kernel.</param>
/// <param name="Stride">Stride of each axis.</param>
internal readonly record struct ConvShape(int OutChannels, int GroupChannels, int Groups, Size2D Kernel, Size2D Stride);
