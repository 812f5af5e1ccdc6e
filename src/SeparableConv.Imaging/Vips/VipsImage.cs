namespace SeparableConv.Imaging.Vips;

/// <summary>A reference to a picture of libvips.</summary>
internal sealed class VipsImage(nint handle) : IDisposable
{
    public nint Handle { get; } = handle;

    public void Dispose() => VipsNative.Unref(Handle);
}
