namespace SeparableConv.Networks;

/// <summary>
/// A network or a model file is not what it must be: a shape does not fit, an operator is not supported, a file is damaged.
/// </summary>
public sealed class NetworkException : Exception
{
    /// <summary>One line: what was expected, what came, what to do.</summary>
    /// <param name="message">The line.</param>
    public NetworkException(string message)
        : base(message)
    {
    }

    /// <summary>The same, with what led to it.</summary>
    /// <param name="message">The line.</param>
    /// <param name="innerException">What led to it.</param>
    public NetworkException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
