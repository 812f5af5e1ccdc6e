namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>Activations that are put together from others, or from comparisons and choices.</summary>
internal static class ComposedActivations
{
    /// <summary>y = gamma * elu(x, alpha).</summary>
    public static void ReadSelu(OnnxGraph graph, OnnxNode node)
    {
        var (alpha, gamma) = (node.Float("alpha", 1.67326319217681884765625f), node.Float("gamma", 1.05070102214813232421875f));
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) => formula.Binary(
            "", BinaryKind.Mul, formula.Activate("elu", Activation.ELU(alpha), x), gamma));
    }

    /// <summary>y = x where x is 0 or more, alpha * (e^(x/alpha) - 1) below.</summary>
    public static void ReadCelu(OnnxGraph graph, OnnxNode node)
    {
        var alpha = node.Float("alpha", 1);
        if (!(alpha > 0))
            throw node.Error(FormattableString.Invariant($"alpha is {alpha}; expected a number above 0"));
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) =>
        {
            if (alpha == 1)
                return formula.Activate("", Activation.ELU(1), x);
            var unit = formula.Activate("elu", Activation.ELU(1), formula.Binary("scaled", BinaryKind.Div, x, alpha));
            return formula.Binary("", BinaryKind.Mul, unit, alpha);
        });
    }

    /// <summary>y = x where x is above alpha, else 0.</summary>
    public static void ReadThresholdedRelu(OnnxGraph graph, OnnxNode node)
    {
        var alpha = node.Float("alpha", 1);
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) => formula.Choose(
            "", formula.Binary("above", BinaryKind.Greater, x, alpha), x, formula.Number("zero", 0, x.Type.Element)));
    }

    /// <summary>y = x + bias where x is below -lambd, x - bias where it is above lambd, else 0.</summary>
    public static void ReadShrink(OnnxGraph graph, OnnxNode node)
    {
        var (bias, threshold) = (node.Float("bias", 0), node.Float("lambd", 0.5f));
        var formula = new Formula(graph, node);
        graph.Elementwise(node, (_, x) =>
        {
            // The thresholds are floats for whole numbers too.
            var element = x.Type.Element.IsFloat() ? x.Type.Element : ElementType.Float32;
            var number = formula.Cast("number", element, x);
            var isAbove = formula.Binary("above", BinaryKind.Greater, number, threshold);
            var isBelow = formula.Binary("below", BinaryKind.Less, number, -threshold);
            var (less, more) = (number, number);
            if (bias != 0)
                (less, more) = (formula.Binary("less", BinaryKind.Sub, number, bias), formula.Binary("more", BinaryKind.Add, number, bias));
            var lower = formula.Choose("lower", isBelow, more, formula.Number("zero", 0, element));
            var y = formula.Choose(element == x.Type.Element ? "" : "shrunk", isAbove, less, lower);
            return formula.Cast("", x.Type.Element, y);
        });
    }
}
