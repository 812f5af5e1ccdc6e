namespace SeparableConv.Networks;

/// <summary>What became of one standard convolution.</summary>
/// <param name="Name">The name of its node.</param>
/// <param name="Before">What it was, for example <c>3x3, 64 to 128</c>.</param>
/// <param name="Method">What it became; null where it stayed whole.</param>
/// <param name="After">What it became in words, or why it stayed.</param>
/// <param name="Error">
/// The relative error of its outputs, behind a ReLU where there is one: the root of the share of their variance that is lost. Over the
/// inputs that were fitted to, the errors of the layers before it included; without these, that of its weights alone. 0 where it stayed
/// whole.
/// </param>
/// <param name="MacsBefore">Multiply-accumulates of one image before.</param>
/// <param name="MacsAfter">And after.</param>
/// <param name="ParametersBefore">Weights and biases before.</param>
/// <param name="ParametersAfter">And after.</param>
/// <param name="MillisecondsBefore">The least time of some runs of the layer by itself on this machine, before.</param>
/// <param name="MillisecondsAfter">And after.</param>
/// <param name="SingularValues">
/// Of its weights, the largest first: those of all channels' (taps, filters) for depthwise kernels, (C*kH, kW*O) for spatial ones.
/// </param>
public sealed record SeparatedLayer(
    string Name,
    string Before,
    SeparationMethod? Method,
    string After,
    double Error,
    long MacsBefore,
    long MacsAfter,
    long ParametersBefore,
    long ParametersAfter,
    double MillisecondsBefore,
    double MillisecondsAfter,
    IReadOnlyList<double> SingularValues);

/// <summary>A choice of forms for all layers: what it would cost, and what it is expected to lose.</summary>
/// <param name="MacsShare">The share of the network's multiply-accumulates that is left.</param>
/// <param name="Error">The expected relative error of the network's scores.</param>
public readonly record struct SeparationPoint(double MacsShare, double Error);

/// <summary>A network whose standard convolutions were taken apart, and what that changed.</summary>
/// <param name="Network">The network; its layers that stayed whole have the names they had.</param>
/// <param name="Layers">What became of each standard convolution.</param>
/// <param name="Error">
/// The relative error of the network's scores over inputs of the calibration: the root of the share of their variance that is lost; null
/// without a calibration.
/// </param>
/// <param name="HeldBack">
/// Inputs of the calibration that <paramref name="Error"/> is over, and that nothing was fitted to; 0 where they were too few to hold some
/// back.
/// </param>
/// <param name="MacsBefore">Multiply-accumulates of one run of the network before.</param>
/// <param name="ParametersBefore">Its weights, biases and the like before.</param>
/// <param name="MillisecondsBefore">The least time of some runs before.</param>
/// <param name="MillisecondsAfter">And after.</param>
/// <param name="Curve">Error against cost, from the smallest network to the largest: what other budgets would have given.</param>
public sealed record SeparationResult(
    Network Network,
    IReadOnlyList<SeparatedLayer> Layers,
    double? Error,
    int HeldBack,
    long MacsBefore,
    long ParametersBefore,
    double MillisecondsBefore,
    double MillisecondsAfter,
    IReadOnlyList<SeparationPoint> Curve);

/// <summary>Where a separation has got to.</summary>
/// <param name="Step">What is being done, for example <c>fitting block2_conv1</c>.</param>
/// <param name="Share">How much is done, 0 to 1.</param>
public readonly record struct SeparationProgress(string Step, double Share);
