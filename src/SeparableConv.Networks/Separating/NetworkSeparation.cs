using System.Numerics.Tensors;
using SeparableConv.Networks.Separating;

namespace SeparableConv.Networks;

/// <summary>
/// Takes the standard convolutions of a trained network apart into separable ones: how far, and into which, is chosen for the whole
/// network at once.
/// </summary>
/// <remarks>
/// Batch normalization is folded into the weights first. 1x1 and depthwise convolutions stay as they are. With a calibration, each layer's
/// last convolution is fitted by least squares to the sums of the original, from the outputs of the layers before it as they have become.
/// Methods return another object: this one does not change.
/// </remarks>
/// <example><code>
/// SeparationResult result = NetworkSeparation.Of(network).Calibrate(images).ToLatency(0.5).Run();
/// OnnxWriter.Write(result.Network, "smaller.onnx");
/// </code></example>
public sealed class NetworkSeparation
{
    private readonly SeparationSettings _settings;

    private NetworkSeparation(SeparationSettings settings) => _settings = settings;

    /// <summary>The network that is taken apart.</summary>
    internal Network Network => _settings.Network;

    /// <summary>Begins: a third of the multiply-accumulates, by any method, without a calibration.</summary>
    /// <param name="network">A network of float32.</param>
    /// <returns>What to go on from.</returns>
    public static NetworkSeparation Of(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return new(new(network));
    }

    /// <summary>What layers may become.</summary>
    /// <param name="method">A method; any of them by default.</param>
    /// <param name="uniform">
    /// Whether every channel gets as many depthwise kernels. By default channels that need more get more, and the file has a Gather in
    /// front of the depthwise convolution.
    /// </param>
    /// <returns>What to go on from.</returns>
    public NetworkSeparation By(SeparationMethod method, bool uniform = false) =>
        new(_settings with { Method = method, IsUniform = uniform });

    /// <summary>
    /// Dense layers too, (C, O), as two through R numbers, by the truncated singular value decomposition: R*(C + O) multiplications. They
    /// are reported as <see cref="SeparationMethod.Spatial"/>, whose kernels are 1x1 then.
    /// </summary>
    /// <returns>What to go on from.</returns>
    public NetworkSeparation WithDenseLayers() => new(_settings with { TakesDense = true });

    /// <summary>
    /// Inputs of the network's kind, without labels: some hundreds or thousands, in no order, as layers are compared by the first. Of four
    /// or more the last quarter is held back from fitting, and judges: at least 2, at most 256, and no more than can be run with 8 billion
    /// multiply-accumulates.
    /// </summary>
    /// <param name="inputs">(count, the network's input without its batch), as the network wants its numbers.</param>
    /// <returns>What to go on from.</returns>
    /// <exception cref="ArgumentException">The shape is not that of inputs of the network, or there is none.</exception>
    public NetworkSeparation Calibrate(in ReadOnlyTensorSpan<float> inputs)
    {
        var wanted = _settings.Network.Inputs is [{ Type: { Element: ElementType.Float32, Shape.Rank: > 0 } } one]
            ? one.Shape
            : throw new ArgumentException("The network has not one float32 input; only such ones are calibrated.");
        var fits = inputs.Rank == wanted.Rank && inputs.Lengths[0] > 0;
        for (var i = 1; fits && i < wanted.Rank; i++)
            fits = inputs.Lengths[i] == wanted[i];
        if (!fits)
        {
            throw new ArgumentException(
                $"The inputs have shape ({string.Join(',', inputs.Lengths.ToArray())}); expected (count,"
                + $"{string.Join(',', wanted.Lengths[1..].ToArray())}), one of them or more.");
        }

        var numbers = new float[inputs.FlattenedLength];
        inputs.FlattenTo(numbers);
        return new(_settings with { Inputs = numbers, InputCount = (int)inputs.Lengths[0] });
    }

    /// <summary>To a share of the multiply-accumulates.</summary>
    /// <param name="share">Above 0, up to 1.</param>
    /// <returns>What to go on from.</returns>
    /// <exception cref="ArgumentException">The share is out of range.</exception>
    public NetworkSeparation ToMacs(double share) => To(SeparationGoal.Macs, share);

    /// <summary>To a share of the parameters.</summary>
    /// <param name="share">Above 0, up to 1.</param>
    /// <returns>What to go on from.</returns>
    /// <exception cref="ArgumentException">The share is out of range.</exception>
    public NetworkSeparation ToParameters(double share) => To(SeparationGoal.Parameters, share);

    /// <summary>
    /// To a share of the time of a run, measured here: of each layer in each form, then of the networks that are chosen by them.
    /// </summary>
    /// <param name="share">Above 0, up to 1.</param>
    /// <returns>What to go on from.</returns>
    /// <exception cref="ArgumentException">The share is out of range.</exception>
    public NetworkSeparation ToLatency(double share) => To(SeparationGoal.Latency, share);

    /// <summary>As small as a relative error of the scores allows: the root of the share of their variance that is lost.</summary>
    /// <param name="error">Above 0, below 1. Without a calibration it is the error of the weights.</param>
    /// <returns>What to go on from.</returns>
    /// <exception cref="ArgumentException">The error is out of range.</exception>
    public NetworkSeparation ToError(double error) => To(SeparationGoal.Error, error);

    /// <summary>As small as a loss allows that the caller measures, such as the accuracy on labelled pictures that is lost.</summary>
    /// <param name="loss">The loss of a network, in any unit. It is called for some networks of several sizes.</param>
    /// <param name="most">The most that may be lost.</param>
    /// <returns>What to go on from.</returns>
    public NetworkSeparation ToLoss(Func<Network, double> loss, double most)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return new(_settings with { Goal = SeparationGoal.Loss, Share = most, Loss = loss });
    }

    /// <summary>
    /// Threads to compute and to measure with; one a processor by default. What is chosen by anything but time does not depend on them.
    /// </summary>
    /// <param name="threads">1 or more.</param>
    /// <returns>What to go on from.</returns>
    /// <exception cref="ArgumentException">The number is out of range.</exception>
    public NetworkSeparation WithThreads(int threads)
    {
        Threading.WorkerPool.CheckThreads(threads);
        return new(_settings with { Threads = threads });
    }

    /// <summary>Takes the network apart.</summary>
    /// <param name="progress">Told each step.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>The network and the report.</returns>
    /// <exception cref="NetworkException">
    /// The network has no standard convolution with constant float32 weights, cannot be run, or cannot be brought
    /// to the share that was asked for.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public SeparationResult Run(IProgress<SeparationProgress>? progress = null, CancellationToken cancellation = default) =>
        new SeparationRun(_settings, progress, cancellation).Run();

    private NetworkSeparation To(SeparationGoal goal, double share) => share > 0 && share <= 1
        ? new(_settings with { Goal = goal, Share = share })
        : throw new ArgumentException(FormattableString.Invariant($"{share} was asked for; give a number above 0 and up to 1."));
}
