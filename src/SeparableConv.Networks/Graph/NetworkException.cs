namespace SeparableConv.Networks;

/// <summary>
/// A network or a model file is not what it must be: a shape does not fit, an operator is not supported, a file is damaged.
/// </summary>
public sealed class NetworkException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">One line that says what was expected, what came and what to do.</param>
    public NetworkException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that another one led to.</summary>
    /// <param name="message">One line that says what was expected, what came and what to do.</param>
    /// <param name="innerException">The exception that led to it.</param>
    public NetworkException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
