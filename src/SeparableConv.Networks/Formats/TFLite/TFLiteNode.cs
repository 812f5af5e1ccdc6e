namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>An operator as the file describes it.</summary>
/// <param name="Index">Its number in the graph.</param>
/// <param name="Code">Which operator.</param>
/// <param name="Kind">The schema's name of it, or a custom operator's own.</param>
/// <param name="Inputs">The tensors it reads; -1 where an optional one is not there.</param>
/// <param name="Outputs">The tensors it computes.</param>
/// <param name="OptionsType">Which kind of options it has, as the schema numbers them.</param>
/// <param name="OptionsTable">The options, where it has any.</param>
internal sealed record TFLiteNode(
    int Index, BuiltinOperator Code, string Kind, int[] Inputs, int[] Outputs, int OptionsType, FlatTable? OptionsTable)
{
    /// <summary>The options, where they are of the kind that the operator has; else none, with every field at its default.</summary>
    public FlatTable Options(int type) => OptionsType == type && OptionsTable is { } table ? table : default;

    /// <summary>Number and name, for messages.</summary>
    public override string ToString() => $"operator {Index} ({Kind})";
}
