using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Networks.Separating;

/// <summary>
/// What forms of one layer do to the scores of a network. What comes before the layer and what comes behind it are compiled once for all
/// forms: in networks with large dense layers that takes longer than to run them.
/// </summary>
internal static class LayerProbe
{
    /// <summary>The scores with each of some chains in the place of a layer, as <see cref="CalibrationSet.Scores"/> has them.</summary>
    /// <param name="network">A network of <see cref="CalibrationSet.Batched"/>.</param>
    /// <param name="name">The layer's node.</param>
    /// <param name="chains">What it could be.</param>
    /// <param name="set">The inputs.</param>
    /// <param name="cancellation">Ends it early.</param>
    public static float[][] Scores(
        Network network, string name, StageChain[] chains, CalibrationSet set, CancellationToken cancellation)
    {
        var layer = network.Nodes.First(node => node.Name == name);
        var graph = new GraphBuilder(network);
        var sums = chains.Select((chain, i) => chain.Append(graph, $"{name}/{i}", layer.Inputs[0]!)).ToArray();
        var scores = Array.ConvertAll(chains, _ => new List<float>());
        using var behind = set.Open(CalibrationSet.ForScores(new OutputAsInput(layer).Run(network)));
        set.Run(
            graph.Build("sums", sums),
            (_, count, session) =>
            {
                session.InputBytes(0).CopyTo(behind.InputBytes(0));
                for (var i = 0; i < sums.Length; i++)
                {
                    session.OutputBytes(i).CopyTo(behind.InputBytes(1));
                    behind.Run();
                    CalibrationSet.AddScores(behind, count, scores[i]);
                }
            },
            cancellation);
        return Array.ConvertAll(scores, numbers => numbers.ToArray());
    }

    // The second input is what the layer gave.
    private sealed class OutputAsInput(Node layer) : NetworkPass
    {
        protected override IReadOnlyList<Value>? Rewrite(Node node, Value?[] inputs)
        {
            if (node != layer)
                return null;
            Graph.Release(node);
            return [Graph.Input(node.Name, node.Outputs[0].Type)];
        }
    }
}
