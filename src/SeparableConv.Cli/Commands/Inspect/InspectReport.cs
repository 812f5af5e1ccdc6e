using System.Text.Json;
using SeparableConv.Networks.Inference;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Cli.Commands;

/// <summary>A network's layers and totals, as text or as JSON.</summary>
internal sealed class InspectReport
{
    private readonly string _path;
    private readonly Network _network;
    private readonly NetworkLayer[] _layers;
    private readonly long _parameters;
    private readonly long _macs;
    private readonly MemoryPlan _plan;

    /// <param name="path">The file as the user called it.</param>
    /// <param name="network">What was in it.</param>
    /// <exception cref="InputException">A count exceeds 2^63-1.</exception>
    public InspectReport(string path, Network network)
    {
        (_path, _network) = (path, network);
        _layers = [.. Computed(network).Select(NetworkLayer.Of)];
        _parameters = network.ParameterCount;
        _macs = _layers.Aggregate(0L, (sum, layer) => checked(sum + layer.Macs));
        _plan = MemoryPlan.Create(PassList.Inference.Run(network));
    }

    private IEnumerable<NetworkLayer> Standard => _layers.Where(layer => layer.Separable is not null);

    private long StandardMacs => Standard.Sum(layer => layer.Macs);

    private long StandardParameters => Standard.Sum(layer => layer.Node.ParameterCount);

    private long SeparableMacs => Standard.Sum(layer => layer.Separable!.Value.Macs);

    private long SeparableParameters => Standard.Sum(layer => layer.Separable!.Value.Parameters);

    /// <summary>Prints it for people.</summary>
    public void Print(Terminal terminal)
    {
        var output = terminal.Output;
        output.WriteLine(_path + (_network.Name.Length > 0 ? $": {Failure.OneLine(_network.Name)}" : ""));
        foreach (var input in _network.Inputs)
            output.WriteLine($"input   {Failure.OneLine(input.ToString())}");
        foreach (var value in _network.Outputs)
            output.WriteLine($"output  {Failure.OneLine(value.ToString())}");

        var table = new TextTable("layer", "kind", "input", "output", "parameters", "MACs", "share") { TextColumns = 2 };
        foreach (var layer in _layers)
        {
            table.Add(
                ShortName(layer.Node.Name),
                layer.Kind,
                layer.Input is { } shape ? Sizes(shape) : "",
                Sizes(layer.Output),
                Numbers.Count(layer.Node.ParameterCount),
                Numbers.Count(layer.Macs),
                Percent(layer.Macs));
        }

        table.Print(terminal);
        output.WriteLine($"total: {_layers.Length} layers, {Numbers.Count(_parameters)} parameters, {Numbers.Count(_macs)} MACs{Shares()}");
        output.WriteLine(
            $"peak activation memory: {Numbers.Bytes(_plan.ArenaBytes)} (the layer that needs most, {Numbers.Bytes(_plan.LowerBound)})");
        var count = Standard.Count();
        if (count == 0)
        {
            output.WriteLine("no standard convolutions");
            return;
        }

        output.WriteLine(
            $"{count} standard {(count == 1 ? "convolution" : "convolutions")}: {Numbers.Count(StandardMacs)} MACs, "
            + $"{Numbers.Count(StandardParameters)} parameters; "
            + $"as separable ones: {Numbers.Count(SeparableMacs)} MACs, {Numbers.Count(SeparableParameters)} parameters");
        output.WriteLine(
            $"ratio {Numbers.Short((double)_macs / WithSeparable)}: MACs of the whole network over those with separable convolutions, "
            + $"{Numbers.Count(WithSeparable)}");
        if (Warning is { } warning)
            output.WriteLine($"warning: {warning}");
    }

    /// <summary>Prints one line of JSON.</summary>
    public void PrintJson(TextWriter output) => Json.Print(output, json =>
    {
        json.WriteStartObject();
        json.WriteString("model", _path);
        json.WriteString("name", _network.Name);
        WriteValues(json, "inputs", _network.Inputs);
        WriteValues(json, "outputs", _network.Outputs);
        json.WriteStartArray("layers");
        foreach (var layer in _layers)
            Write(json, layer);
        json.WriteEndArray();
        json.WriteStartObject("totals");
        json.WriteNumber("layers", _layers.Length);
        json.WriteNumber("parameters", _parameters);
        json.WriteNumber("macs", _macs);
        json.WriteNumber("peakActivationBytes", _plan.ArenaBytes);
        json.WriteNumber("peakActivationBytesBound", _plan.LowerBound);
        json.WriteStartObject("macsByKind");
        foreach (var (kind, macs) in ByKind())
            json.WriteNumber(kind, macs);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("standardAsSeparable");
        json.WriteNumber("layers", Standard.Count());
        WriteCounts(json, "standard", StandardParameters, StandardMacs);
        WriteCounts(json, "separable", SeparableParameters, SeparableMacs);
        json.WriteNumber("networkMacs", WithSeparable);
        json.Number("ratio", (double)_macs / WithSeparable);
        if (Warning is { } warning)
            json.WriteString("warning", warning);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private string? Warning => Standard.Any()
        ? SeparationEvidence.OfNetwork(_parameters - StandardParameters + SeparableParameters)
        : null;

    private long WithSeparable => _macs - StandardMacs + SeparableMacs;

    // What turns stored weights into those a layer reads, such as a dequantization, is no layer: it is done once, when the network is
    // compiled.
    private static IEnumerable<Node> Computed(Network network)
    {
        var fixedValues = new HashSet<Value>();
        foreach (var node in network.Nodes)
        {
            var isFixed = node.Inputs.All(input => input is null || input.IsStored || fixedValues.Contains(input));
            if (isFixed && !node.Outputs.Any(network.Outputs.Contains))
                fixedValues.UnionWith(node.Outputs);
            else
                yield return node;
        }
    }

    // TensorFlow Lite's converter joins the names of all that went into a layer. The end of a name tells more than its beginning.
    /// <summary>A node's name that fits a table.</summary>
    public static string ShortName(string name)
    {
        const int Longest = 40;
        var first = Failure.OneLine(name.Split(';')[0]);
        return first.Length <= Longest ? first : $"...{first[^(Longest - 3)..]}";
    }

    private static string Sizes(TensorShape shape) => shape.Rank == 0 ? "scalar" : string.Join('x', shape.Lengths.ToArray());

    private static void WriteValues(Utf8JsonWriter json, string name, IEnumerable<Value> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStartObject();
            json.WriteString("name", value.Name);
            json.WriteString("type", PlanNames.Of(value.Type.Element));
            if (value.Type.HasOpenShape)
                json.WriteNull("shape");
            else
                json.Shape("shape", value.Type.Shape.Lengths);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteCounts(Utf8JsonWriter json, string name, long parameters, long macs)
    {
        json.WriteStartObject(name);
        json.WriteNumber("parameters", parameters);
        json.WriteNumber("macs", macs);
        json.WriteEndObject();
    }

    private void Write(Utf8JsonWriter json, NetworkLayer layer)
    {
        json.WriteStartObject();
        json.WriteString("name", layer.Node.Name);
        json.WriteString("kind", layer.Kind);
        json.WriteString("operator", layer.Node.Operator.Kind);
        if (layer.Input is { } input)
            json.Shape("input", input.Lengths);
        else
            json.WriteNull("input");
        json.Shape("output", layer.Output.Lengths);
        json.WriteNumber("parameters", layer.Node.ParameterCount);
        json.WriteNumber("macs", layer.Macs);
        json.WriteNumber("share", Share(layer.Macs));
        if (layer.Separable is { } separable)
            WriteCounts(json, "separable", separable.Parameters, separable.Macs);
        json.WriteEndObject();
    }

    private double Share(long macs) => _macs == 0 ? 0 : (double)macs / _macs;

    private string Percent(long macs) =>
        macs == 0 ? "" : (100 * Share(macs)).ToString("0.00", System.Globalization.CultureInfo.InvariantCulture) + " %";

    private IEnumerable<(string Kind, long Macs)> ByKind() => _layers
        .GroupBy(layer => layer.Kind)
        .Select(group => (group.Key, Macs: group.Sum(layer => layer.Macs)))
        .Where(kind => kind.Macs > 0)
        .OrderByDescending(kind => kind.Macs);

    private string Shares()
    {
        var shares = string.Join(", ", ByKind().Select(kind => $"{kind.Kind} {Percent(kind.Macs)}"));
        return shares.Length > 0 ? $": {shares}" : "";
    }
}
