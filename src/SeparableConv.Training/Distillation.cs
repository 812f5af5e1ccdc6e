namespace SeparableConv.Training;

/// <summary>
/// Learning from another network, the teacher: what it makes of a picture is the target, beside the picture's class or in its place.
/// </summary>
/// <remarks>
/// The loss of a sample is (1 - w) * c + w * T^2 * sum over k of q[k] * (log q[k] - log p[k]): w is <see cref="Weight"/>, T
/// <see cref="Temperature"/>, c the cross-entropy with the classes (with label smoothing, mixture and class weights, where they are given),
/// q = softmax(teacher's logits / T) and p = softmax(logits / T). Where w is 1 it is 0 for a network that does the same as its teacher.
/// Source: G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, arXiv:1503.02531, 2015.
/// <para>
/// The teacher sees the very numbers that the network sees, augmented and mixed, and is run as when it is used: its batch normalization
/// has its stored statistics, its dropouts do nothing.
/// </para>
/// </remarks>
/// <param name="Teacher">
/// A network with one input, the pictures of the one that is trained (its channels may be first where those are last), and one output, a
/// score for each of the same classes; a softmax at its end is left out. It is not changed.
/// </param>
/// <example><code>
/// var options = new TrainingOptions { Distillation = new(original) };
/// using var trainer = new Trainer(separated, PictureDataSet.LoadPictures("photos"), options: options);
/// trainer.Run();
/// </code></example>
public sealed record Distillation(Network Teacher)
{
    /// <summary>
    /// The teacher's share of the loss, 0 to 1; the rest is that of the classes. Default 1: the teacher alone, and pictures need no labels.
    /// </summary>
    public double Weight { get; init; } = 1;

    /// <summary>What logits are divided by before softmax, above 0: the higher, the more all classes count. Default 2.</summary>
    public double Temperature { get; init; } = 2;

    /// <summary>Whether the classes of pictures count, in the precision that the loss has.</summary>
    internal bool NeedsLabels => (float)Weight < 1;
}
