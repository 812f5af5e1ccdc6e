using System.Numerics.Tensors;
using SeparableConv.Networks.Operators;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Training;

/// <summary>What is asked of a picture's scores.</summary>
internal static class PictureScores
{
    /// <summary>Whether a network's scores are probabilities.</summary>
    /// <remarks>A softmax may be the activation of the last layer: the passes for training make it a node of its own.</remarks>
    public static bool EndInSoftmax(Network network) => PassList.Training.Run(network).Outputs[0].Producer?.Operator
        is SoftmaxOperator { Logarithm: false } or ActivationOperator { Activation.NeedsAllChannels: true };

    /// <summary>Makes probabilities of scores.</summary>
    public static void Softmax(Span<double> scores)
    {
        var largest = double.NegativeInfinity;
        foreach (var score in scores)
            largest = Math.Max(largest, score);
        var sum = 0.0;
        foreach (ref var score in scores)
            sum += score = Math.Exp(score - largest);
        foreach (ref var score in scores)
            score /= sum;
    }

    /// <summary>The class of the highest score; of equal ones the first.</summary>
    public static int Best(ReadOnlySpan<double> scores) => TensorPrimitives.IndexOfMax(scores);

    /// <summary>How many classes come before one.</summary>
    public static int Rank(ReadOnlySpan<double> scores, int label)
    {
        var rank = 0;
        for (var c = 0; c < scores.Length; c++)
            rank += scores[c] > scores[label] || (scores[c] == scores[label] && c < label) ? 1 : 0;
        return rank;
    }
}
