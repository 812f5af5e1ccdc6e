using SeparableConv.Networks.Formats.TFLite;
using SeparableConv.Tests.Networks.Formats;

namespace SeparableConv.Tests.Networks.Fuzz;

/// <summary>A hand-made TensorFlow Lite model whose tensors are all of one type, with scales where they are bytes.</summary>
internal sealed class FuzzTFLite(ElementType element)
{
    private const float Scale = 0.05f;
    private readonly TFLiteFile _file = new();
    private readonly (float, int)[] _scales = element == ElementType.Float32 ? [] : [(Scale, element == ElementType.Int8 ? 0 : 128)];

    public int Input(params int[] shape)
    {
        var index = _file.Tensor(element, shape, _scales);
        _file.Inputs = [.. _file.Inputs, index];
        return index;
    }

    public int Weights(params int[] shape)
    {
        var numbers = Enumerable.Range(0, shape.Aggregate(1, (x, y) => x * y));
        return element switch
        {
            ElementType.Float32 => _file.Constant(numbers.Select(i => (float)i).ToArray(), shape),
            ElementType.Int8 => _file.Constant(numbers.Select(i => (sbyte)(i * 37)).ToArray(), shape, _scales),
            _ => _file.Constant(numbers.Select(i => (byte)(i * 37)).ToArray(), shape, _scales),
        };
    }

    public int Bias(int length) => element == ElementType.Float32
        ? _file.Constant(new float[length], [length])
        : _file.Constant(new int[length], [length], (Scale * Scale, 0));

    public int Integers(params int[] values) => _file.Constant(values, [values.Length]);

    public int Table(int[] shape, params int[] values) => _file.Constant(values, shape);

    /// <summary>The output of an operator.</summary>
    public int Call(BuiltinOperator code, int[] inputs, int[] shape, int optionsType, FlatRecord options)
    {
        (float, int)[] scales = code == BuiltinOperator.SOFTMAX && element != ElementType.Float32
            ? [(1f / 256, element == ElementType.Int8 ? -128 : 0)]
            : _scales;
        var output = _file.Tensor(element, shape, scales);
        _file.Operator(code, inputs, [output], optionsType, options);
        return output;
    }

    public FuzzSeed Seed(string name, params int[] outputs)
    {
        _file.Outputs = outputs;
        var record = _file.ToRecord();
        return new($"made/{name}_{element}", record.ToFile(), record);
    }
}
