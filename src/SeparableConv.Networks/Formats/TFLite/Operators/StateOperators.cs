namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>Variables, which a session keeps from run to run, and operators with graphs of their own: CALL_ONCE and IF.</summary>
internal static class StateOperators
{
    private const int IfOptions = 92;
    private const int CallOnceOptions = 103;
    private const int VarHandleOptions = 111;

    public static void ReadCallOnce(TFLiteImporter importer, TFLiteNode node)
    {
        var variables = importer.Variables;
        if (variables.IsInitializing)
            throw TFLiteImporter.Refused(node, $"it stands in a graph that is itself run once.");
        variables.IsInitializing = true;
        try
        {
            importer.Inline(node, node.Options(CallOnceOptions).Int32(0), []);
        }
        finally
        {
            variables.IsInitializing = false;
        }
    }

    public static void ReadVarHandle(TFLiteImporter importer, TFLiteNode node)
    {
        var table = node.Options(VarHandleOptions);
        importer.Variables.Name(importer.OutputTensor(node), $"{table.Name(0)}/{table.Name(1)}");
    }

    public static void ReadVariable(TFLiteImporter importer, TFLiteNode node)
    {
        var tensor = importer.OutputTensor(node);
        var element = tensor.Element ?? throw TFLiteImporter.Refused(node, $"the variable is {tensor.TypeName}, which is not supported.");
        var type = importer.Checked(tensor.Name, new TensorType(element, new TensorShape(tensor.Shape), tensor.ReadQuantization()));
        importer.Set(node, importer.Variables.Read(Variable(importer, node), type));
    }

    public static void ReadAssign(TFLiteImporter importer, TFLiteNode node) =>
        importer.Variables.Assign(Variable(importer, node), importer.Input(node, 1));

    /// <summary>
    /// One branch where the condition is known when the model is loaded; else both stand in the network and the condition chooses, which is
    /// the same for branches that do nothing but compute.
    /// </summary>
    public static void ReadIf(TFLiteImporter importer, TFLiteNode node)
    {
        var (condition, table) = (importer.Input(node, 0), node.Options(IfOptions));
        if (condition.Type.Element != ElementType.Bool || condition.Shape.ElementCount != 1)
            throw TFLiteImporter.Refused(node, $"the condition is {condition.Type}; expected one bool.");
        var inputs = new Value[node.Inputs.Length - 1];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = importer.Input(node, i + 1);
        var (then, otherwise) = (table.Int32(0), table.Int32(1));
        if (condition.Constant is { } known)
        {
            SetAll(importer, node, importer.Inline(node, known.Span<bool>()[0] ? then : otherwise, inputs));
            return;
        }

        var before = importer.Nodes.Count;
        var (yes, no) = importer.Variables.Unassigned(
            () => (importer.Inline(node, then, inputs), importer.Inline(node, otherwise, inputs)));
        if (yes.Length != no.Length)
            throw TFLiteImporter.Refused(node, $"the branches have {yes.Length} and {no.Length} outputs; both must have as many.");
        if (importer.Nodes.Skip(before).FirstOrDefault(one => one.Operator.MayRefuse(one)) is { } refusing)
        {
            throw TFLiteImporter.Refused(
                node, $"a branch looks up computed indices ({refusing.Operator.Kind}), and both branches would be computed.");
        }

        if (yes.Length < node.Outputs.Length)
            throw TFLiteImporter.Refused(node, $"the branches have {yes.Length} outputs; the operator has {node.Outputs.Length}.");
        condition = ShapeOperators.Reshaped(importer, node, condition, []);
        for (var i = 0; i < node.Outputs.Length; i++)
        {
            if (yes[i].Type.Element != no[i].Type.Element || yes[i].Shape != no[i].Shape)
            {
                const string Expected = "where the condition is only known while the model runs, both must have one type";
                throw TFLiteImporter.Refused(node, $"output {i} of the branches is {yes[i].Type} and {no[i].Type}; {Expected}.");
            }

            yes[i] = importer.Emit(node, new WhereOperator(), condition, yes[i], no[i]);
        }

        SetAll(importer, node, yes);
    }

    private static void SetAll(TFLiteImporter importer, TFLiteNode node, Value[] values)
    {
        if (values.Length < node.Outputs.Length)
            throw TFLiteImporter.Refused(node, $"its graph has {values.Length} outputs for {node.Outputs.Length}.");
        for (var i = 0; i < node.Outputs.Length; i++)
            importer.Set(node, values[i], i);
    }

    private static string Variable(TFLiteImporter importer, TFLiteNode node)
    {
        var tensor = importer.InputTensor(node, 0);
        return importer.Variables.Find(tensor)
            ?? throw TFLiteImporter.Refused(
                node, $"tensor {tensor.Index} '{tensor.Name}' stands for no variable; VAR_HANDLE must name one.");
    }
}
