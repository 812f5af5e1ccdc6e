using System.Numerics;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// General matrix product: a (M, K), b (K, N), c or none -> (M, N), y = alpha * a b + beta * c; a or b are read transposed, from (K, M) or
/// (N, K), and c broadcasts to (M, N).
/// </summary>
/// <remarks>
/// Floats, and integers of 32 and 64 bits, which wrap around. A constant float32 b is packed once, its factor and a constant row c with it.
/// </remarks>
internal sealed unsafe class GemmOperator(float alpha, float beta, bool transposeA, bool transposeB) : Operator, INumberOperator
{
    public override string Kind => "Gemm";

    public float Alpha { get; } = alpha;

    public float Beta { get; } = beta;

    public bool TransposeA { get; } = transposeA;

    public bool TransposeB { get; } = transposeB;

    internal override InputRole RoleOf(int input, TensorType type) => input > 0 ? InputRole.Parameter : InputRole.Data;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = (OperatorChecks.Required(inputs, 0, "matrix a"), OperatorChecks.Required(inputs, 1, "matrix b"));
        OperatorChecks.SameElement(a, b);
        OperatorChecks.Takes(ElementDispatch.IsWide(a.Element), a, ElementDispatch.WideNames);
        if (a.Shape.Rank != 2 || b.Shape.Rank != 2)
            throw new ArgumentException($"The matrices are {a.Shape} and {b.Shape}; both must have 2 dimensions.");
        var (rows, depth) = TransposeA ? (a.Shape[1], a.Shape[0]) : (a.Shape[0], a.Shape[1]);
        var (depthB, columns) = TransposeB ? (b.Shape[1], b.Shape[0]) : (b.Shape[0], b.Shape[1]);
        if (depth != depthB)
        {
            throw new ArgumentException(
                $"Matrix a {a.Shape} has {depth} columns but b {b.Shape} has {depthB} rows, transposed as they are; both must be equal.");
        }

        var shape = new TensorShape(rows, columns);
        if (inputs.Length > 2 && inputs[2] is { } c)
        {
            OperatorChecks.SameElement(a, c);
            if (TensorShapes.Broadcast(c.Shape, shape) != shape)
                throw new ArgumentException($"Matrix c {c.Shape} does not broadcast to the product's shape {shape}.");
        }

        return [new(a.Element, shape)];
    }

    internal override OperatorCost Cost(Node node) =>
        new(node.Outputs[0].Shape.ElementCount * node.Inputs[0]!.Shape[TransposeA ? 0 : 1]);

    internal override Step Prepare(Node node)
    {
        var (a, b, c) = (node.Inputs[0]!, node.Inputs[1]!, node.Inputs.Count > 2 ? node.Inputs[2] : null);
        var columns = node.Outputs[0].Shape[1];
        var isPlain = Alpha == 1 && c is null && (!TransposeA || a.Shape[1] == 1) && b.Type.Element == ElementType.Float32;
        if (b.IsParameter && isPlain && b.Shape.ElementCount > 0)
            return PackedProductStep.OfParameters(TransposeB ? b.Shape[1] : b.Shape[0], columns, TransposeB, Activation.None);
        var cIsRow = c is null || (c.IsConstant && (c.Shape.Rank == 1 || (c.Shape.Rank == 2 && c.Shape[0] == 1)));
        var bIsPacked = b.Constant is not null && b.Type.Element == ElementType.Float32 && b.Shape.ElementCount > 0;
        if (!bIsPacked || !cIsRow || (TransposeA && a.Shape[1] != 1))
            return new ForwardStep(this);

        var depth = TransposeB ? b.Shape[1] : b.Shape[0];
        var weights = new float[b.Shape.ElementCount];
        var source = b.Constant!.Span<float>();
        for (var k = 0; k < depth; k++)
        {
            for (var n = 0; n < columns; n++)
                weights[(k * columns) + n] = Alpha * source[TransposeB ? (n * depth) + k : (k * columns) + n];
        }

        var bias = c is null ? [] : new float[columns];
        for (var n = 0; n < bias.Length; n++)
            bias[n] = Beta * c!.Constant!.Span<float>()[c.Shape[^1] == 1 ? 0 : n];
        return new PackedProductStep(weights, depth, columns, bias, Activation.None);
    }

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    void INumberOperator.Run<T>(ForwardContext context)
    {
        var (a, b, y) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        var work = new MatrixProductWork<T>
        {
            A = a.Pointer<T>(),
            RowStride = TransposeA ? 1 : a.Shape[1],
            StepStride = TransposeA ? a.Shape[1] : 1,
            B = b.Pointer<T>(),
            TransposedB = TransposeB,
            Y = y.Pointer<T>(),
            Rows = y.Shape[0],
            Depth = TransposeA ? a.Shape[0] : a.Shape[1],
            Columns = y.Shape[1],
        };
        work.Run(1, context.Threads);
        var c = context.Optional(2);
        if (!c.IsPresent && Alpha == 1)
            return;
        var scaling = new Scaling<T> { Y = y.Pointer<T>(), Columns = y.Shape[1], Alpha = Alpha, Beta = Beta };
        if (c.IsPresent)
        {
            scaling.C = c.Pointer<T>();
            scaling.ColumnStrideC = c.Shape.Rank > 0 && c.Shape[^1] > 1 ? 1 : 0;
            scaling.RowStrideC = c.Shape.Rank > 1 && c.Shape[^2] > 1 ? c.Shape[^1] : 0;
        }

        ElementParts.Run(scaling, y.Shape[0], y.Shape[1], context.Threads);
    }

    /// <summary>
    /// With A and B as they are multiplied: dA = alpha dy B^T, dB = alpha A^T dy, each transposed where its matrix is stored so;
    /// dc = beta dy, summed where c was broadcast. Floats.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (a, b, dy) = (context.Input(0), context.Input(1), context.Output(0)!);
        if (!a.Type.Element.IsFloat())
            return null;
        var gradients = context.Nothing();
        if (context.Wants(0))
        {
            gradients[0] = TransposeA
                ? context.Add("a", new GemmOperator(Alpha, 1, TransposeB, transposeB: true), b, dy)
                : context.Add("a", new GemmOperator(Alpha, 1, transposeA: false, !TransposeB), dy, b);
        }

        if (context.Wants(1))
        {
            gradients[1] = TransposeB
                ? context.Add("b", new GemmOperator(Alpha, 1, transposeA: true, TransposeA), dy, a)
                : context.Add("b", new GemmOperator(Alpha, 1, !TransposeA, transposeB: false), a, dy);
        }

        if (context.Wants(2))
        {
            var sum = context.SumTo(dy, context.Input(2).Shape);
            gradients[2] = Beta == 1 ? sum : context.Add("c", new ScaleOperator(Beta), sum);
        }

        return gradients;
    }

    /// <summary>y = alpha*y + beta*c, in rows.</summary>
    private struct Scaling<T> : IRangeWork
        where T : unmanaged, INumber<T>
    {
        public T* Y;
        public T* C;
        public int Columns;
        public nint RowStrideC;
        public nint ColumnStrideC;
        public float Alpha;
        public float Beta;

        public readonly void Run(nint start, nint end)
        {
            for (var row = start; row < end; row++)
            {
                for (nint n = 0; n < Columns; n++)
                {
                    ref var y = ref Y[(row * Columns) + n];
                    y = Scale(y, Alpha);
                    if (C is not null)
                        y += Scale(C[(row * RowStrideC) + (n * ColumnStrideC)], Beta);
                }
            }
        }

        // A factor of 1 leaves integers exact that are too large for double precision.
        private static T Scale(T value, float factor) => factor == 1 ? value
            : typeof(T) == typeof(float) ? T.CreateTruncating(float.CreateTruncating(value) * factor)
            : T.CreateSaturating(double.CreateTruncating(value) * factor);
    }
}
