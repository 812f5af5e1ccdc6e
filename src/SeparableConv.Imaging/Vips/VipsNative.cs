using System.Runtime.InteropServices;

namespace SeparableConv.Imaging.Vips;

/// <summary>
/// The functions of libvips, and of GObject below it, that are called. None is variadic, since calling variadic functions
/// is not portable: operations are made by name and their arguments set one by one. GObject's functions are found through
/// libvips's own handle, as a dependency of it.
/// </summary>
internal static unsafe partial class VipsNative
{
    /// <summary>The name that <see cref="VipsLibrary"/> resolves.</summary>
    public const string Library = "vips";

    [LibraryImport(Library, EntryPoint = "vips_foreign_find_load", StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* FindLoad(string path);

    [LibraryImport(Library, EntryPoint = "vips_foreign_find_load_buffer")]
    public static partial byte* FindLoadBuffer(byte* data, nuint bytes);

    [LibraryImport(Library, EntryPoint = "vips_foreign_find_save", StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* FindSave(string path);

    [LibraryImport(Library, EntryPoint = "vips_operation_new")]
    public static partial nint OperationNew(byte* name);

    [LibraryImport(Library, EntryPoint = "vips_object_set_argument_from_string", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetArgument(nint operation, string name, string value);

    [LibraryImport(Library, EntryPoint = "vips_object_build")]
    public static partial int Build(nint operation);

    [LibraryImport(Library, EntryPoint = "vips_object_unref_outputs")]
    public static partial void UnrefOutputs(nint operation);

    [LibraryImport(Library, EntryPoint = "vips_blob_new")]
    public static partial nint BlobNew(nint free, byte* data, nuint bytes);

    [LibraryImport(Library, EntryPoint = "vips_blob_get_type")]
    public static partial nuint BlobType();

    [LibraryImport(Library, EntryPoint = "vips_area_unref")]
    public static partial void AreaUnref(nint blob);

    [LibraryImport(Library, EntryPoint = "vips_image_get_type")]
    public static partial nuint ImageType();

    [LibraryImport(Library, EntryPoint = "vips_image_new_from_memory")]
    public static partial nint ImageFromMemory(void* data, nuint bytes, int width, int height, int bands, VipsFormat format);

    [LibraryImport(Library, EntryPoint = "vips_image_write_to_memory")]
    public static partial void* WriteToMemory(nint image, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "vips_image_get_width")]
    public static partial int Width(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_height")]
    public static partial int Height(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_bands")]
    public static partial int Bands(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_format")]
    public static partial VipsFormat Format(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_interpretation")]
    public static partial VipsInterpretation Interpretation(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_orientation")]
    public static partial int Orientation(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_xres")]
    public static partial double HorizontalResolution(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_yres")]
    public static partial double VerticalResolution(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_typeof", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nuint TypeOf(nint image, string field);

    [LibraryImport(Library, EntryPoint = "vips_image_get_blob", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int GetBlob(nint image, string field, out byte* data, out nuint bytes);

    [LibraryImport(Library, EntryPoint = "vips_image_set_blob_copy", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void SetBlobCopy(nint image, string field, byte* data, nuint bytes);

    [LibraryImport(Library, EntryPoint = "vips_error_buffer")]
    public static partial byte* ErrorBuffer();

    [LibraryImport(Library, EntryPoint = "vips_error_clear")]
    public static partial void ErrorClear();

    [LibraryImport(Library, EntryPoint = "g_value_init")]
    public static partial GValue* ValueInit(GValue* value, nuint type);

    [LibraryImport(Library, EntryPoint = "g_value_unset")]
    public static partial void ValueUnset(GValue* value);

    [LibraryImport(Library, EntryPoint = "g_value_set_object")]
    public static partial void ValueSetObject(GValue* value, nint instance);

    [LibraryImport(Library, EntryPoint = "g_value_dup_object")]
    public static partial nint ValueDupObject(GValue* value);

    [LibraryImport(Library, EntryPoint = "g_value_set_boxed")]
    public static partial void ValueSetBoxed(GValue* value, nint boxed);

    [LibraryImport(Library, EntryPoint = "g_object_set_property", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void SetProperty(nint instance, string name, GValue* value);

    [LibraryImport(Library, EntryPoint = "g_object_get_property", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void GetProperty(nint instance, string name, GValue* value);

    [LibraryImport(Library, EntryPoint = "g_object_unref")]
    public static partial void Unref(nint instance);

    [LibraryImport(Library, EntryPoint = "g_free")]
    public static partial void Free(void* memory);

    /// <summary>GObject's tagged value: a type and two words.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct GValue
    {
        public nuint Type;
        public ulong First;
        public ulong Second;
    }
}

/// <summary>VipsBandFormat, numbered as in libvips.</summary>
internal enum VipsFormat
{
    UChar = 0,
    Char = 1,
    UShort = 2,
    Short = 3,
    UInt = 4,
    Int = 5,
    Float = 6,
    Complex = 7,
    Double = 8,
    DoubleComplex = 9,
}

/// <summary>
/// VipsInterpretation, numbered as in libvips: what a picture's channels mean. Only those whose channels are taken as they are.
/// </summary>
internal enum VipsInterpretation
{
    Multiband = 0,
    Gray = 1,
    Rgb = 17,
    Srgb = 22,
    Rgb16 = 25,
    Gray16 = 26,
    ScRgb = 28,
}

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
        return new InvalidDataException(
            $"{failure}: {(lines.Length > 0 ? string.Join("; ", lines.Distinct()) : "libvips gives no reason")}.");
    }
}
