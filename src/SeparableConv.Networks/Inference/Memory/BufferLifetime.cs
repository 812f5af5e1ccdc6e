namespace SeparableConv.Networks.Inference;

/// <summary>A piece of memory and the steps during which what is in it counts.</summary>
/// <param name="Bytes">Its size, 0 or more.</param>
/// <param name="First">The step that writes it.</param>
/// <param name="Last">The last step that reads it; not before <paramref name="First"/>.</param>
internal readonly record struct BufferLifetime(long Bytes, int First, int Last)
{
    public bool Meets(in BufferLifetime other) => First <= other.Last && other.First <= Last;
}
