using SeparableConv.Networks.Gradients;

namespace SeparableConv.Networks.Operators;

/// <summary>
/// The gradients of y (..., O) = x (..., I) times w (I, O), with the rows r of x and y as a matrix each:
/// dx[r, i] = sum over o of dy[r, o] * w[i, o], dw[i, o] = sum over r of x[r, i] * dy[r, o].
/// </summary>
internal static class RowProductGradient
{
    /// <summary>The rows of a tensor as one matrix.</summary>
    public static TensorShape Rows(TensorShape shape, int columns) =>
        new(checked((int)ShapeRules.Product(shape.Lengths[..^1])), columns);

    /// <summary>dx, of x's shape.</summary>
    /// <param name="context">Where nodes are added.</param>
    /// <param name="dy">(rows, O).</param>
    /// <param name="w">(I, O).</param>
    /// <param name="shape">The shape of x.</param>
    public static Value Left(GradientContext context, Value dy, Value w, TensorShape shape) =>
        context.Reshape(context.Add("input", new GemmOperator(1, 1, transposeA: false, transposeB: true), dy, w), shape);

    /// <summary>dw (I, O).</summary>
    /// <param name="context">Where nodes are added.</param>
    /// <param name="x">(..., I).</param>
    /// <param name="dy">(rows, O).</param>
    public static Value Right(GradientContext context, Value x, Value dy)
    {
        var rows = context.Reshape(x, Rows(x.Shape, x.Shape[^1]));
        return context.Add("weights", new GemmOperator(1, 1, transposeA: true, transposeB: false), rows, dy);
    }
}
