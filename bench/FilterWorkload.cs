using System.Globalization;
using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Bench;

/// <summary>One picture and one filter over it, both sides of the comparison ready to be timed.</summary>
internal sealed class FilterWorkload<T>
    where T : unmanaged
{
    private readonly T[] _input;
    private readonly T[] _output;
    private readonly ImageShape _shape;

    public FilterWorkload(int height, int width, int channels)
    {
        _shape = new ImageShape(height, width, channels, ImageShape.TypeOf<T>());
        _input = GC.AllocateUninitializedArray<T>(height * _shape.RowElements, pinned: true);
        _output = GC.AllocateArray<T>(_input.Length, pinned: true);
        var random = new Random(1);
        for (var i = 0; i < _input.Length; i++)
        {
            if (typeof(T) == typeof(byte))
                _input[i] = (T)(object)(byte)random.Next(256);
            else if (typeof(T) == typeof(ushort))
                _input[i] = (T)(object)(ushort)random.Next(65536);
            else
                _input[i] = (T)(object)random.NextSingle();
        }

        if (_shape.HasAlpha)
            MakeOpaque();
    }

    public ImageShape Shape => _shape;

    public ReadOnlySpan<T> Input => _input;

    public void Run(ImageFilter filter)
    {
        ReadOnlySpan<nint> lengths = [_shape.Height, _shape.Width, _shape.Channels];
        filter.Run(new ReadOnlyTensorSpan<T>(_input, lengths), new TensorSpan<T>(_output, lengths));
    }

    public void Copy() => _input.AsSpan().CopyTo(_output);

    /// <summary>Filters once and compares elements all over the picture, its corners among them, with exact sums.</summary>
    /// <returns>The largest error seen, rounding included.</returns>
    /// <exception cref="InvalidOperationException">An element is off by more than its type allows.</exception>
    public double Check(ImageFilter filter)
    {
        Run(filter);
        return Check(_output, filter.Plan, _shape.Type switch
        {
            ElementType.UInt8 => 0.5 + 1e-3,
            ElementType.UInt16 => 0.5 + 0.02,
            _ => 1e-5 * filter.Plan.Kernel.AbsoluteSum,
        });
    }

    /// <summary>The same for a picture that a peer has made; sums of integers in fixed point are off by a few steps.</summary>
    public double CheckPeer(ReadOnlySpan<T> output, FilterPlan plan) =>
        Check(output, plan, _shape.Type == ElementType.Float32 ? 1e-4 : 4);

    private double Check(ReadOnlySpan<T> output, FilterPlan plan, double allowed)
    {
        var random = new Random(2);
        var worst = 0.0;
        for (var n = 0; n < 20_000; n++)
        {
            // Every fourth sample lies at a corner, where two borders meet.
            var y = n % 4 == 0 ? (n % 8 == 0 ? n / 8 % 9 : _shape.Height - 1 - (n / 8 % 9)) : random.Next(_shape.Height);
            var x = n % 4 == 0 ? (n % 16 < 8 ? n % 11 : _shape.Width - 1 - (n % 11)) : random.Next(_shape.Width);
            var c = random.Next(_shape.Channels);
            var at = (((y * _shape.Width) + x) * _shape.Channels) + c;
            var exact = FilterReference.Element(
                i => Convert.ToDouble(_input[i], CultureInfo.InvariantCulture), _shape, plan.Kernel, plan.Options, y, x, c);
            if (_shape.Type != ElementType.Float32)
                exact = Math.Clamp(exact, 0, _shape.MaxValue);
            var error = Math.Abs(Convert.ToDouble(output[at], CultureInfo.InvariantCulture) - exact);
            worst = Math.Max(worst, error);
            if (error > allowed)
                throw new InvalidOperationException($"Element ({y},{x},{c}) of {_shape} is off by {error}; allowed {allowed}.");
        }

        return worst;
    }

    // Both sides then filter every channel alike.
    private void MakeOpaque()
    {
        var opaque = (T)Convert.ChangeType(_shape.MaxValue, typeof(T), CultureInfo.InvariantCulture);
        for (var i = _shape.Channels - 1; i < _input.Length; i += _shape.Channels)
            _input[i] = opaque;
    }
}
