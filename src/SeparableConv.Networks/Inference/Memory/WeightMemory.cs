using System.Runtime.InteropServices;
using SeparableConv.Loops;

namespace SeparableConv.Networks.Inference;

/// <summary>
/// All memory of a compiled network: its constants and its packed weights. It is freed at once when it is disposed, or at the end of the
/// runs that hold it then.
/// </summary>
internal sealed class WeightMemory : SafeHandle
{
    private readonly NativeBlock _constants;
    private readonly List<PackedBuffer> _packed;

    public WeightMemory(NativeBlock constants, List<PackedBuffer> packed)
        : base(0, ownsHandle: true)
    {
        (_constants, _packed) = (constants, packed);
        PackedBytes = packed.Sum(buffer => (long)buffer.Length * sizeof(float));

        // Any number but 0: there is something to free.
        SetHandle(1);
    }

    /// <summary>The first constant.</summary>
    public unsafe byte* Constants => _constants.Pointer;

    public long ConstantBytes => _constants.Bytes;

    public long PackedBytes { get; }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        _constants.Dispose();
        foreach (var buffer in _packed)
            buffer.Dispose();
        return true;
    }
}
