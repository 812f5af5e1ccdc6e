using System.Runtime.InteropServices;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>
/// A model of one operator on random bytes, and the arithmetic that ONNX's quantized operators are defined by, number by number. A model's
/// scales are powers of two or not: with powers of two many results lie halfway between two bytes.
/// </summary>
internal sealed class QLinearCase(int seed, bool signed)
{
    private readonly Random _random = new(seed);

    public OnnxBuilder Model { get; } = new();

    public bool Signed => signed;

    public Dictionary<string, byte[]> Inputs { get; } = [];

    /// <summary>Random bytes.</summary>
    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A tensor that the network is given.</summary>
    public byte[] Input(string name, params int[] shape)
    {
        Model.Bytes(name, signed, shape);
        return Inputs[name] = Bytes(shape.Aggregate(1, (a, b) => a * b));
    }

    /// <summary>A scale and a zero point, as constants of that name with an s and a z behind it.</summary>
    public LinearNumbers Scale(string name, float about = 0.125f)
    {
        var scale = seed % 2 == 0 ? about * MathF.Pow(2, _random.Next(-1, 2)) : about * (0.5f + _random.NextSingle());
        var zeroPoint = signed ? _random.Next(-30, 30) : _random.Next(90, 160);
        Model.Constant(name + "s", [scale]).ByteConstant(name + "z", signed, [(byte)zeroPoint]);
        return new(signed, scale, zeroPoint);
    }

    /// <summary>The first output in every way that a network is run: as it is read, and after it was written and read again.</summary>
    public List<byte[]> Run(string output = "y")
    {
        var network = Model.Output(output).Read();
        var results = new List<byte[]>();
        Assert.Equal(output, network.Outputs[0].Name);
        foreach (var one in new[] { network, OnnxBackend.RoundTrip(network) })
        {
            foreach (var (threads, optimize) in new[] { (1, true), (2, false), (3, true) })
            {
                using var session = new InferenceSession(one, new() { Threads = threads, Optimize = optimize });
                for (var run = 0; run < 2; run++)
                {
                    for (var i = 0; i < one.Inputs.Count; i++)
                        Inputs[one.Inputs[i].Name].CopyTo(session.InputBytes(i));
                    session.Run();
                }

                results.Add(session.OutputBytes(0).ToArray());
            }
        }

        return results;
    }

    /// <summary>Every result is what was expected, to the last bit.</summary>
    public void Check<T>(T[] expected)
        where T : unmanaged
    {
        foreach (var actual in Run())
            Assert.Equal(expected, MemoryMarshal.Cast<byte, T>(actual).ToArray());
    }
}

/// <summary>Bytes that stand for numbers: scale * (q - zeroPoint), in single precision.</summary>
internal sealed record LinearNumbers(bool Signed, float Scale, int ZeroPoint)
{
    /// <summary>The whole number that a byte holds.</summary>
    public int Whole(byte raw) => Signed ? (sbyte)raw : raw;

    /// <summary>The number that a byte stands for.</summary>
    public float Number(byte raw) => (Whole(raw) - ZeroPoint) * Scale;

    /// <summary>The byte for a number: rounded half to even, then moved by the zero point.</summary>
    public byte Byte(float number) => Saturated(MathF.Round(number / Scale) + ZeroPoint);

    /// <summary>A whole number as a byte.</summary>
    public byte Saturated(float value) => (byte)(int)Math.Clamp(value, Signed ? -128 : 0, Signed ? 127 : 255);
}
