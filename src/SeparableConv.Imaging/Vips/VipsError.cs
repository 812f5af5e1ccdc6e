using System.Runtime.InteropServices;

namespace SeparableConv.Imaging.Vips;

/// <summary>libvips's own explanation of a failure.</summary>
internal static unsafe class VipsError
{
    /// <summary>Takes what libvips has said since the last time, on one line.</summary>
    /// <param name="failure">What failed, the beginning of the message.</param>
    public static InvalidDataException Take(string failure)
    {
        var lines = (Marshal.PtrToStringUTF8((nint)VipsNative.ErrorBuffer()) ?? "")
            .Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        VipsNative.ErrorClear();
        return new InvalidDataException($"{failure}: {(lines.Length > 0 ? string.Join("; ", lines.Distinct()) : "libvips gives no reason")}.");
    }
}
