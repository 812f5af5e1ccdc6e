using SeparableConv.Networks.Graph;

namespace SeparableConv.Networks.Operators;

/// <summary>Chooses row by row; a row is the output's last dimension, along which each input either moves on or stays.</summary>
internal sealed unsafe class WhereStep : Step
{
    private readonly int[] _outer;
    private readonly int _row;
    private readonly long _rows;
    private readonly int _elementSize;
    private readonly long[] _condition;
    private readonly long[] _a;
    private readonly long[] _b;

    public WhereStep(TensorShape output, TensorType[] inputs)
    {
        // A scalar is a row of one.
        if (output.Rank == 0)
            output = new TensorShape(1);
        _outer = output.Lengths[..^1].ToArray();
        _row = output[^1];
        _rows = output.ElementCount == 0 ? 0 : ShapeRules.Product(_outer);
        _elementSize = inputs[1].Element.Size();
        _condition = ShapeRules.BroadcastStrides(inputs[0].Shape, output);
        _a = ShapeRules.BroadcastStrides(inputs[1].Shape, output);
        _b = ShapeRules.BroadcastStrides(inputs[2].Shape, output);
    }

    public override void Run(ForwardContext context)
    {
        switch (_elementSize)
        {
            case 1:
                Run<byte>(context);
                break;
            case 2:
                Run<ushort>(context);
                break;
            case 4:
                Run<uint>(context);
                break;
            default:
                Run<ulong>(context);
                break;
        }
    }

    private void Run<T>(ForwardContext context)
        where T : unmanaged
    {
        var y = (T*)context.Outputs[0].Memory;
        for (long row = 0; row < _rows; row++, y += _row)
        {
            var condition = (byte*)context.Inputs[0].Memory;
            var a = (T*)context.Inputs[1].Memory;
            var b = (T*)context.Inputs[2].Memory;
            var rest = row;
            for (var d = _outer.Length - 1; d >= 0; d--)
            {
                (rest, var index) = Math.DivRem(rest, _outer[d]);
                condition += index * _condition[d];
                a += index * _a[d];
                b += index * _b[d];
            }

            var (stepCondition, stepA, stepB) = (_condition[^1], _a[^1], _b[^1]);
            for (long i = 0; i < _row; i++)
                y[i] = condition[i * stepCondition] != 0 ? a[i * stepA] : b[i * stepB];
        }
    }
}
