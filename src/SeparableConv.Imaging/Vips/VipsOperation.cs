using System.Runtime.InteropServices;
using static SeparableConv.Imaging.Vips.VipsNative;

namespace SeparableConv.Imaging.Vips;

/// <summary>One operation of libvips. It is made by name, is given arguments, is run, and then gives its picture.</summary>
internal sealed unsafe class VipsOperation : IDisposable
{
    private nint _operation;

    /// <summary>Makes an operation by its nickname or class name.</summary>
    public VipsOperation(ReadOnlySpan<byte> name)
    {
        fixed (byte* text = name)
            Make(text);
    }

    /// <summary>Makes an operation by a name that libvips found.</summary>
    public VipsOperation(byte* name) => Make(name);

    /// <summary>Sets a number, a choice, a switch or a file name.</summary>
    public VipsOperation Set(string name, string value)
        => SetArgument(_operation, name, value) == 0 ? this : throw VipsError.Take($"libvips refuses {name} = {value}");

    /// <summary>Sets an input picture.</summary>
    public VipsOperation SetImage(string name, VipsImage image)
    {
        GValue value = default;
        ValueInit(&value, ImageType());
        ValueSetObject(&value, image.Handle);
        SetProperty(_operation, name, &value);
        ValueUnset(&value);
        return this;
    }

    /// <summary>Sets a file in memory, which must stay in place as long as pictures of it are used.</summary>
    public VipsOperation SetBuffer(string name, byte* data, nuint bytes)
    {
        var blob = BlobNew(0, data, bytes);
        GValue value = default;
        ValueInit(&value, BlobType());
        ValueSetBoxed(&value, blob);
        SetProperty(_operation, name, &value);
        ValueUnset(&value);
        AreaUnref(blob);
        return this;
    }

    /// <summary>Runs an operation that has no picture to give.</summary>
    /// <param name="failure">The beginning of the message where it fails.</param>
    /// <exception cref="InvalidDataException">It failed.</exception>
    public void Run(string failure)
    {
        // Built directly and not through the cache of operations, which would outlive the memory that pictures point into.
        if (Build(_operation) != 0)
            throw VipsError.Take(failure);
    }

    /// <summary>Runs the operation.</summary>
    /// <param name="failure">The beginning of the message where it fails.</param>
    /// <returns>Its output picture, the caller's to dispose of.</returns>
    /// <exception cref="InvalidDataException">It failed.</exception>
    public VipsImage RunToImage(string failure)
    {
        Run(failure);
        GValue value = default;
        ValueInit(&value, ImageType());
        GetProperty(_operation, "out", &value);
        var image = ValueDupObject(&value);
        ValueUnset(&value);
        return new VipsImage(image);
    }

    public void Dispose()
    {
        UnrefOutputs(_operation);
        Unref(_operation);
    }

    private void Make(byte* name)
    {
        _operation = OperationNew(name);
        if (_operation == 0)
            throw VipsError.Take($"this libvips has no operation {Marshal.PtrToStringUTF8((nint)name)}");
    }
}

/// <summary>A reference to a picture of libvips.</summary>
internal sealed class VipsImage(nint handle) : IDisposable
{
    public nint Handle { get; } = handle;

    public void Dispose() => VipsNative.Unref(Handle);
}
