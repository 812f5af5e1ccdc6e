using System.Numerics;
using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// NumPy's matmul: a (..., M, K), b (..., K, N) -> (..., M, N), y[..., m, n] = sum over k of a[..., m, k] * b[..., k, n]. The leading
/// dimensions broadcast; a vector is a row on the left and a column on the right, and its dimension of 1 does not show in the result.
/// </summary>
/// <remarks>Floats, and integers of 32 and 64 bits, which wrap around. A constant float32 matrix on the right is packed once.</remarks>
internal sealed unsafe class MatMulOperator : Operator, INumberOperator
{
    public override string Kind => "MatMul";

    internal override InputRole RoleOf(int input, TensorType type) => InputRole.Parameter;

    internal override TensorType[] Infer(ReadOnlySpan<TensorType?> inputs)
    {
        var (a, b) = (OperatorChecks.Required(inputs, 0, "left matrix"), OperatorChecks.Required(inputs, 1, "right matrix"));
        OperatorChecks.SameElement(a, b);
        OperatorChecks.Takes(ElementDispatch.IsWide(a.Element), a, ElementDispatch.WideNames);
        if (a.Shape.Rank == 0 || b.Shape.Rank == 0)
            throw new ArgumentException($"The matrices are {a.Shape} and {b.Shape}; both need at least one dimension.");
        var sizes = new Sizes(a.Shape, b.Shape);
        if (sizes.Depth != sizes.DepthB)
        {
            throw new ArgumentException(
                $"The left matrix {a.Shape} has {sizes.Depth} columns but the right one {b.Shape} has {sizes.DepthB} rows; "
                + "both must be equal.");
        }

        var batch = TensorShapes.Broadcast(sizes.BatchA, sizes.BatchB);
        _ = BatchLoops(a.Shape, b.Shape, 1, 1);
        var lengths = new List<int>(batch.Lengths.ToArray());
        if (a.Shape.Rank > 1)
            lengths.Add(sizes.Rows);
        if (b.Shape.Rank > 1)
            lengths.Add(sizes.Columns);
        return [new(a.Element, new TensorShape([.. lengths]))];
    }

    internal override OperatorCost Cost(Node node) => new(node.Outputs[0].Shape.ElementCount * node.Inputs[0]!.Shape[^1]);

    internal override Step Prepare(Node node)
    {
        var b = node.Inputs[1]!;
        if (b.Constant is null || b.Type.Element != ElementType.Float32 || b.Shape.Rank > 2 || b.Shape.ElementCount == 0)
            return new ForwardStep(this);
        return new PackedProductStep(b.Constant.Span<float>(), b.Shape[0], b.Shape.Rank == 2 ? b.Shape[1] : 1, default, Activation.None);
    }

    internal override void Forward(ForwardContext context) => ElementDispatch.Run(this, context.Inputs[0].Type.Element, context);

    void INumberOperator.Run<T>(ForwardContext context)
    {
        var (a, b, y) = (context.Inputs[0], context.Inputs[1], context.Outputs[0]);
        var (rows, depth) = (a.Shape.Rank > 1 ? a.Shape[^2] : 1, a.Shape[^1]);
        var columns = b.Shape.Rank > 1 ? b.Shape[^1] : 1;
        var work = new MatrixProductWork<T>
        {
            A = a.Pointer<T>(),
            RowStride = depth,
            StepStride = 1,
            B = b.Pointer<T>(),
            Y = y.Pointer<T>(),
            Rows = rows,
            Depth = depth,
            Columns = columns,
        };
        var matrix = (nint)rows * columns;
        if (matrix == 0)
            return;
        work.Batch = BatchLoops(a.Shape, b.Shape, (nint)rows * depth, (nint)depth * columns);
        work.Run((nint)y.Shape.ElementCount / matrix, context.Threads);
    }

    /// <summary>
    /// da = dy b^T and db = a^T dy, matrix by matrix, summed where one matrix met many. A right side that is one matrix is multiplied by
    /// all rows at once (<see cref="RowProductGradient"/>). Floats.
    /// </summary>
    internal override Value?[]? Gradient(GradientContext context)
    {
        var (a, b, dy) = (context.Input(0), context.Input(1), context.Output(0)!);
        if (!a.Type.Element.IsFloat())
            return null;
        var gradients = context.Nothing();
        var sizes = new Sizes(a.Shape, b.Shape);
        if (b.Shape.Rank <= 2)
        {
            dy = context.Reshape(dy, RowProductGradient.Rows(a.Shape, sizes.Columns));
            var w = context.Reshape(b, new TensorShape(sizes.Depth, sizes.Columns));
            if (context.Wants(0))
                gradients[0] = RowProductGradient.Left(context, dy, w, a.Shape);
            if (context.Wants(1))
                gradients[1] = context.Reshape(RowProductGradient.Right(context, a, dy), b.Shape);
            return gradients;
        }

        // A vector on the left is a matrix of one row.
        var left = a.Shape.Rank > 1 ? a : context.Reshape(a, new TensorShape(1, sizes.Depth));
        var batch = TensorShapes.Broadcast(sizes.BatchA, sizes.BatchB);
        dy = context.Reshape(dy, new TensorShape([.. batch.Lengths, sizes.Rows, sizes.Columns]));
        if (context.Wants(0))
        {
            var product = context.Add("a", new MatMulOperator(), dy, Transposed(context, b));
            gradients[0] = context.Reshape(context.SumTo(product, left.Shape), a.Shape);
        }

        if (context.Wants(1))
            gradients[1] = context.SumTo(context.Add("b", new MatMulOperator(), Transposed(context, left), dy), b.Shape);
        return gradients;
    }

    private static Value Transposed(GradientContext context, Value matrices)
    {
        var permutation = new int[matrices.Shape.Rank];
        for (var d = 0; d < permutation.Length; d++)
            permutation[d] = d;
        (permutation[^1], permutation[^2]) = (permutation[^2], permutation[^1]);
        return context.Add("transposed", new TransposeOperator(permutation), matrices);
    }

    /// <summary>The loops over the leading dimensions, matrix by matrix.</summary>
    private static StridedLoops BatchLoops(TensorShape a, TensorShape b, nint matrixA, nint matrixB)
    {
        var loops = default(StridedLoops);
        var rank = Math.Max(a.Rank, b.Rank);
        Span<nint> stridesA = stackalloc nint[Math.Max(0, rank - 2)];
        Span<nint> stridesB = stackalloc nint[stridesA.Length];
        var (nextA, nextB) = (matrixA, matrixB);
        for (var i = 3; i <= rank; i++)
        {
            var (lengthA, lengthB) = (i <= a.Rank ? a[^i] : 1, i <= b.Rank ? b[^i] : 1);
            stridesA[^(i - 2)] = lengthA == 1 ? 0 : nextA;
            stridesB[^(i - 2)] = lengthB == 1 ? 0 : nextB;
            nextA *= lengthA;
            nextB *= lengthB;
        }

        for (var i = rank; i >= 3; i--)
        {
            var (lengthA, lengthB) = (i <= a.Rank ? a[^i] : 1, i <= b.Rank ? b[^i] : 1);
            loops.Add(lengthA == 1 ? lengthB : lengthA, stridesA[^(i - 2)], stridesB[^(i - 2)]);
        }

        return loops;
    }

    /// <summary>The sizes that follow from the shapes of both sides.</summary>
    private readonly struct Sizes(TensorShape a, TensorShape b)
    {
        public int Rows => a.Rank > 1 ? a[^2] : 1;

        public int Depth => a[^1];

        public int DepthB => b.Rank > 1 ? b[^2] : b[0];

        public int Columns => b.Rank > 1 ? b[^1] : 1;

        public TensorShape BatchA => new(a.Lengths[..Math.Max(0, a.Rank - 2)]);

        public TensorShape BatchB => new(b.Lengths[..Math.Max(0, b.Rank - 2)]);
    }
}
