using System.Globalization;

namespace SeparableConv.Imaging.Vips;

/// <summary>Colour profile and resolution of pictures in libvips's hands.</summary>
internal static unsafe class VipsMetadata
{
    private const string ProfileField = "icc-profile-data";
    private const string ExifField = "exif-data";
    private const double MillimetresInMetre = 1000;

    // Pixels a millimetre of a picture whose file says nothing.
    private const double Unknown = 1;

    /// <summary>What libvips has found in a file; a profile that suits no picture of so many channels is none.</summary>
    public static ImageMetadata Read(VipsImage image, int channels)
    {
        var (horizontal, vertical) = (VipsNative.HorizontalResolution(image.Handle), VipsNative.VerticalResolution(image.Handle));
        return new ImageMetadata
        {
            Profile = Profile(image, channels),
            Resolution = horizontal == Unknown && vertical == Unknown
                ? ExifResolution.Read(Blob(image, ExifField))
                : Resolution.OfMetres(horizontal * MillimetresInMetre, vertical * MillimetresInMetre),
        };
    }

    /// <summary>Gives a copying operation the resolution.</summary>
    public static void SetResolution(VipsOperation copy, ImageMetadata metadata)
    {
        if (metadata.Resolution is not { } resolution)
            return;
        var (horizontal, vertical) = resolution.PerMetre;
        copy.Set("xres", Text(horizontal)).Set("yres", Text(vertical));
    }

    /// <summary>Gives a picture that nobody else has the profile, and the resolution once more for formats that keep it in EXIF.</summary>
    public static void SetBlobs(VipsImage image, ImageMetadata metadata)
    {
        if (metadata.Profile is { } profile)
            SetBlob(image, ProfileField, profile.Data);
        if (metadata.Resolution is { } resolution)
            SetBlob(image, ExifField, ExifResolution.Block(resolution));
    }

    private static void SetBlob(VipsImage image, string field, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* data = bytes)
            VipsNative.SetBlobCopy(image.Handle, field, data, (nuint)bytes.Length);
    }

    private static string Text(double perMetre) => (perMetre / MillimetresInMetre).ToString("R", CultureInfo.InvariantCulture);

    private static ColorProfile? Profile(VipsImage image, int channels) => Blob(image, ProfileField) is { IsEmpty: false } profile
        ? ColorProfile.Find(profile, channels)
        : null;

    // Lies in libvips's memory as long as the picture does; empty where there is none.
    private static ReadOnlySpan<byte> Blob(VipsImage image, string field) =>
        VipsNative.TypeOf(image.Handle, field) != 0
        && VipsNative.GetBlob(image.Handle, field, out var data, out var bytes) == 0
        && bytes <= ColorProfile.MaxBytes
            ? new ReadOnlySpan<byte>(data, (int)bytes)
            : default;
}
