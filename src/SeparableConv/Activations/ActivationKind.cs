namespace SeparableConv.Activations;

/// <summary>The families of activations.</summary>
internal enum ActivationKind
{
    /// <summary>Two bounds, applied by the loop: none, ReLU, ReLU6, clip.</summary>
    Clamp,

    LeakyReLU,
    PReLU,
    ELU,
    HardSwish,
    HardSigmoid,
    Sigmoid,
    Tanh,
    Softmax,
}
