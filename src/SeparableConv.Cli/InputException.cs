namespace SeparableConv.Cli;

/// <summary>Something that the user gave cannot be used; the message is one line for the user.</summary>
internal sealed class InputException : Exception
{
    public InputException(string message)
        : base(message)
    {
    }

    public InputException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
