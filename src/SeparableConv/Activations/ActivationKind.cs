namespace SeparableConv;

/// <summary>The families of activations.</summary>
internal enum ActivationKind
{
    /// <summary>Two bounds, applied by the kernel: none, ReLU, ReLU6, clip.</summary>
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
