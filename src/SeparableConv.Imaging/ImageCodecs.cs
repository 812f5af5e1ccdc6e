using System.Globalization;
using System.Runtime.InteropServices;
using SeparableConv.Imaging.Vips;

namespace SeparableConv.Imaging;

/// <summary>What this machine has for formats other than PNG and .npy, which <see cref="ImageFile"/> reads and writes by itself.</summary>
public static partial class ImageCodecs
{
    /// <summary>The version of the installed libvips, such as "8.15.1"; null where it is not found or does not start.</summary>
    public static string? LibvipsVersion => LibvipsProblem is null
        ? string.Create(CultureInfo.InvariantCulture, $"{Version(0)}.{Version(1)}.{Version(2)}")
        : null;

    /// <summary>Why there is no libvips and how to install it, in one line; null where there is one.</summary>
    public static string? LibvipsProblem
    {
        get
        {
            try
            {
                VipsLibrary.System.Require("Reading and writing JPEG, WebP, TIFF and others");
                return null;
            }
            catch (DllNotFoundException e)
            {
                return e.Message;
            }
        }
    }

    // 0, 1 and 2 ask for the major, minor and micro number.
    [LibraryImport(VipsNative.Library, EntryPoint = "vips_version")]
    private static partial int Version(int part);
}
