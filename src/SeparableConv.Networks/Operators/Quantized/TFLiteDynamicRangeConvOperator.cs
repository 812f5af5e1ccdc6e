using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// Convolution of floats with 8-bit weights, in integers: x (N, inH, inW, C) of float32, each image brought to 8 bits on a scale of its
/// own, weights (kH, kW, C/groups, O) of int8 with one scale or one for each output channel, bias (O) of float32 or none ->
/// (N, outH, outW, O) of float32. TensorFlow Lite's dynamic-range arithmetic.
/// </summary>
/// <param name="options">Stride, dilation, padding and groups.</param>
/// <param name="isSymmetric">
/// Whether 0 of an image is 0 of its bytes, -127 to 127; else its extremes, and 0, are -128 and 127.
/// </param>
internal sealed unsafe class TFLiteDynamicRangeConvOperator(ConvOptions options, bool isSymmetric) : Operator
{
    public override string Kind => "DynamicRangeConv2D";

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override ConvGeometry? Geometry(Node node) => Sizes(node.Inputs[0]!.Type, node.Inputs[1]!.Type);

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var x = OperatorChecks.Required(inputs, 0, "input", ElementType.Float32, 4);
        var weights = OperatorChecks.Required(inputs, 1, "weights", ElementType.Int8, 4);
        var g = Sizes(x, weights);
        if (weights.Quantization is not { } quantization || (!quantization.IsPerTensor && quantization.Scales.Length != g.OutChannels))
            throw new ArgumentException($"The weights {weights} must have one scale, or {g.OutChannels}, one for each output channel.");
        OperatorChecks.Bias(inputs, 2, g.OutChannels, ElementType.Float32);
        return [new(ElementType.Float32, ConvShapes.Output(g))];
    }

    internal override OperatorCost Cost(Node node) => new(ConvCost.Standard(Sizes(node.Inputs[0]!.Type, node.Inputs[1]!.Type)).Macs);

    internal override Step Prepare(Node node) => Create(node.Inputs[0]!.Type, node.Inputs[1]!.Type);

    internal override void Forward(ForwardContext context)
    {
        var step = Create(context.Inputs[0].Type, context.Inputs[1].Type);
        fixed (byte* scratch = new byte[step.ScratchBytes])
            step.Run(new ForwardContext(context.Inputs, context.Outputs, context.Threads, scratch));
    }

    private ConvGeometry Sizes(TensorType x, TensorType weights)
    {
        var shape = weights.Shape;
        return ConvShapes.Geometry(x, (shape[0], shape[1]), checked(shape[2] * options.Groups), shape[3], options, options.Groups);
    }

    private DynamicRangeStep Create(TensorType x, TensorType weights) =>
        new(Sizes(x, weights), weights.Quantization!.Scales.ToArray(), isSymmetric);
}

/// <summary>A dynamic-range convolution of one size.</summary>
internal sealed unsafe class DynamicRangeStep(ConvGeometry g, float[] scales, bool isSymmetric) : Step
{
    private const int MostSums = 256;
    private readonly int _imageLength = g.Rows.In * g.Columns.In * g.InChannels;

    // Scale and zero point of each image, then the bytes.
    public override long ScratchBytes => (g.Batch * (long)(sizeof(float) + sizeof(int))) + ((long)g.Batch * _imageLength);

    public override void Run(ForwardContext context)
    {
        var scaleOf = (float*)context.Scratch;
        var zeroOf = (int*)(scaleOf + g.Batch);
        var bytes = (sbyte*)(zeroOf + g.Batch);
        var x = context.Inputs[0].Span<float>();
        for (var n = 0; n < g.Batch; n++)
        {
            var image = x.Slice(n * _imageLength, _imageLength);
            var target = new Span<sbyte>(bytes + ((nint)n * _imageLength), _imageLength);
            (scaleOf[n], zeroOf[n]) = isSymmetric ? (Symmetric(image, target), 0) : Asymmetric(image, target);
        }

        var work = new Work
        {
            Step = this,
            X = bytes,
            Scales = scaleOf,
            Zeros = zeroOf,
            Weights = context.Inputs[1].Pointer<sbyte>(),
            Bias = context.Optional(2),
            Y = context.Outputs[0].Pointer<float>(),
        };
        var perRow = (long)g.Columns.Out * g.OutChannels * g.Rows.Kernel * g.Columns.Kernel * (g.InChannels / g.Groups);
        ElementParts.Run(work, (long)g.Batch * g.Rows.Out, perRow, context.Threads);
    }

    private static float Symmetric(ReadOnlySpan<float> x, Span<sbyte> y)
    {
        var range = x.IsEmpty ? 0 : Math.Max(Math.Abs(TensorPrimitives.Min(x)), Math.Abs(TensorPrimitives.Max(x)));
        if (range == 0)
        {
            y.Clear();
            return 1;
        }

        var inverse = sbyte.MaxValue / range;
        for (var i = 0; i < x.Length; i++)
            y[i] = (sbyte)Math.Clamp((int)MathF.Round(x[i] * inverse, MidpointRounding.AwayFromZero), -sbyte.MaxValue, sbyte.MaxValue);
        return range / sbyte.MaxValue;
    }

    // The zero point is taken from the extreme that it is computed more exactly from.
    private static (float Scale, int ZeroPoint) Asymmetric(ReadOnlySpan<float> x, Span<sbyte> y)
    {
        var (least, most) = x.IsEmpty ? (0.0, 0.0) : (Math.Min(0.0, TensorPrimitives.Min(x)), Math.Max(0.0, TensorPrimitives.Max(x)));
        if (least == most)
        {
            y.Clear();
            return (1, 0);
        }

        var exact = (most - least) / byte.MaxValue;
        var (fromLeast, fromMost) = (sbyte.MinValue - (least / exact), sbyte.MaxValue - (most / exact));
        var isLeastNearer = 128 + Math.Abs(least / exact) < 127 + Math.Abs(most / exact);
        var zeroPoint = (int)Math.Clamp(
            Math.Round(isLeastNearer ? fromLeast : fromMost, MidpointRounding.AwayFromZero), sbyte.MinValue, sbyte.MaxValue);
        var scale = (float)exact;
        var inverse = 1 / scale;
        for (var i = 0; i < x.Length; i++)
        {
            var q = (int)MathF.Round(zeroPoint + (x[i] * inverse), MidpointRounding.AwayFromZero);
            y[i] = (sbyte)Math.Clamp(q, sbyte.MinValue, sbyte.MaxValue);
        }

        return (scale, zeroPoint);
    }

    // The sums of some filters of one group at one position; what lies outside the image counts as its zero point, and so not at all.
    private void Sum(sbyte* image, int zero, sbyte* weights, int outY, int outX, int filter, Span<int> sums)
    {
        var ((startY, endY), (startX, endX)) = (g.Rows.Taps(outY), g.Columns.Taps(outX));
        var (depth, filters) = (g.InChannels / g.Groups, g.OutChannels);
        var first = filter / (filters / g.Groups) * depth;
        sums.Clear();
        for (var tapY = startY; tapY < endY; tapY++)
        {
            for (var tapX = startX; tapX < endX; tapX++)
            {
                var row = g.Rows.InputStart(outY) + (tapY * g.Rows.Dilation);
                var column = g.Columns.InputStart(outX) + (tapX * g.Columns.Dilation);
                var pixel = image + ((((nint)row * g.Columns.In) + column) * g.InChannels) + first;
                var taps = weights + ((((nint)tapY * g.Columns.Kernel) + tapX) * depth * filters) + filter;
                for (var c = 0; c < depth; c++, taps += filters)
                {
                    var value = pixel[c] - zero;
                    for (var o = 0; o < sums.Length; o++)
                        sums[o] += value * taps[o];
                }
            }
        }
    }

    private struct Work : IRangeWork
    {
        public DynamicRangeStep Step;
        public sbyte* X;
        public float* Scales;
        public int* Zeros;
        public sbyte* Weights;
        public TensorBuffer Bias;
        public float* Y;

        public readonly void Run(nint start, nint end)
        {
            var g = Step.Geometry;
            var sums = stackalloc int[MostSums];
            var perGroup = g.OutChannels / g.Groups;
            for (var row = start; row < end; row++)
            {
                var (n, outY) = Math.DivRem(row, g.Rows.Out);
                for (var outX = 0; outX < g.Columns.Out; outX++)
                {
                    var y = Y + (((row * g.Columns.Out) + outX) * g.OutChannels);
                    for (var o = 0; o < g.OutChannels;)
                    {
                        var some = Math.Min(MostSums, perGroup - (o % perGroup));
                        Step.Sum(X + (n * Step._imageLength), Zeros[n], Weights, (int)outY, outX, o, new Span<int>(sums, some));
                        for (var k = 0; k < some; k++, o++)
                            y[o] = Step.Real(sums[k], Scales[n], o) + (Bias.IsPresent ? Bias.Pointer<float>()[o] : 0);
                    }
                }
            }
        }
    }

    private ConvGeometry Geometry => g;

    private float Real(int sum, float scale, int filter) => sum * (scale * scales[scales.Length == 1 ? 0 : filter]);
}
