using System.Globalization;
using System.Numerics;

namespace SeparableConv.Imaging.Vips;

/// <summary>Reads and writes pictures through libvips.</summary>
internal static unsafe class VipsCodec
{
    /// <summary>Reads a file.</summary>
    public static Image Load(string path, string format, ImageReadOptions options)
    {
        var failure = $"The {format} file cannot be read";
        var name = VipsNative.FindLoad(path);
        if (name == null)
            throw VipsError.Take(failure);

        using var load = new VipsOperation(name);
        return Load(load.Set("filename", path), format, failure, options);
    }

    /// <summary>Reads a file that lies in memory.</summary>
    public static Image Load(byte[] file, string format, ImageReadOptions options)
    {
        var failure = $"The {format} file cannot be read";
        fixed (byte* data = file)
        {
            var name = VipsNative.FindLoadBuffer(data, (nuint)file.Length);
            if (name == null)
                throw VipsError.Take(failure);

            using var load = new VipsOperation(name);
            return Load(load.SetBuffer("buffer", data, (nuint)file.Length), format, failure, options);
        }
    }

    /// <summary>Writes a file in the format of its extension.</summary>
    public static void Save(Image image, string path, string format, IEnumerable<(string Name, string Value)> settings)
    {
        switch (image)
        {
            case Image<byte> bytes:
                Save(bytes, VipsFormat.UChar, image.Channels < 3 ? "b-w" : "srgb", path, format, settings);
                break;
            case Image<ushort> shorts:
                Save(shorts, VipsFormat.UShort, image.Channels < 3 ? "grey16" : "rgb16", path, format, settings);
                break;
            case Image<float> floats:
                // Not scRGB, which would be a claim about their range and light.
                Save(floats, VipsFormat.Float, image.Channels < 3 ? "b-w" : "srgb", path, format, settings);
                break;
        }
    }

    /// <summary>The picture in sRGB's colours, converted by the tables of its profile.</summary>
    public static Image ToSrgb(Image image)
    {
        VipsLibrary.System.Require("Converting the picture's colour profile");
        return image switch
        {
            Image<byte> bytes => ToSrgb(bytes, VipsFormat.UChar),
            Image<ushort> shorts => ToSrgb(shorts, VipsFormat.UShort),
            Image<float> floats => ToSrgb(floats),
            _ => throw new System.Diagnostics.UnreachableException($"{image} is a picture of another type."),
        };
    }

    private static Image Load(VipsOperation load, string format, string failure, ImageReadOptions options)
    {
        // Rows are decoded once, from the top, straight into the picture; a damaged file is refused, not half shown.
        load.Set("access", "sequential").Set("fail_on", options.Strict ? "warning" : "error");
        using var stored = load.RunToImage(failure);
        ImageLimits.Check(
            format, VipsNative.Width(stored.Handle), VipsNative.Height(stored.Handle), VipsNative.Bands(stored.Handle), options.MaxPixels);
        var orientation = VipsNative.Orientation(stored.Handle);
        using var colored = ToRgb(stored, failure);
        using var image = ToKnownFormat(colored, failure);
        var upright = Copy(image, format, failure);
        upright.Metadata = VipsMetadata.Read(stored, upright.Channels);
        return options.ApplyOrientation ? Orientation.Apply(upright, orientation) : upright;
    }

    /// <summary>Gray and RGB as they are; CMYK, Lab and the rest to sRGB.</summary>
    private static VipsImage ToRgb(VipsImage image, string failure)
    {
        var known = VipsNative.Interpretation(image.Handle) is VipsInterpretation.Multiband or VipsInterpretation.Gray
            or VipsInterpretation.Gray16 or VipsInterpretation.Rgb or VipsInterpretation.Srgb or VipsInterpretation.Rgb16
            or VipsInterpretation.ScRgb;
        using var convert = known ? new VipsOperation("copy\0"u8) : new VipsOperation("colourspace\0"u8).Set("space", "srgb");
        return convert.SetImage("in", image).RunToImage(failure);
    }

    /// <summary>8 and 16 bits without sign as they are, other real numbers to float.</summary>
    private static VipsImage ToKnownFormat(VipsImage image, string failure)
    {
        var stored = VipsNative.Format(image.Handle);
        if (stored is VipsFormat.Complex or VipsFormat.DoubleComplex)
            throw new InvalidDataException($"{failure}: its pixels are complex numbers; real ones are expected.");

        var target = stored is VipsFormat.UChar ? "uchar" : stored is VipsFormat.UShort ? "ushort" : "float";
        using var cast = new VipsOperation("cast\0"u8).Set("format", target);
        return cast.SetImage("in", image).RunToImage(failure);
    }

    private static Image Copy(VipsImage image, string format, string failure)
    {
        int width = VipsNative.Width(image.Handle), height = VipsNative.Height(image.Handle), bands = VipsNative.Bands(image.Handle);
        if (bands > 4)
            throw new InvalidDataException($"The {format} file has {bands} channels; 1 to 4 are expected (gray, gray+alpha, RGB, RGBA).");

        var memory = VipsNative.WriteToMemory(image.Handle, out var bytes);
        if (memory == null)
            throw VipsError.Take(failure);

        try
        {
            return VipsNative.Format(image.Handle) switch
            {
                VipsFormat.UChar => Copy<byte>(memory, bytes, width, height, bands),
                VipsFormat.UShort => Copy<ushort>(memory, bytes, width, height, bands),
                _ => Copy<float>(memory, bytes, width, height, bands),
            };
        }
        finally
        {
            VipsNative.Free(memory);
        }
    }

    private static Image<T> Copy<T>(void* memory, nuint bytes, int width, int height, int bands)
        where T : unmanaged, INumber<T>
    {
        var pixels = GC.AllocateUninitializedArray<T>((int)(bytes / (nuint)sizeof(T)));
        new ReadOnlySpan<T>(memory, pixels.Length).CopyTo(pixels);
        return new Image<T>(width, height, bands, pixels);
    }

    private static void Save<T>(
        Image<T> image,
        VipsFormat type,
        string interpretation,
        string path,
        string format,
        IEnumerable<(string Name, string Value)> settings)
        where T : unmanaged, INumber<T>
    {
        var failure = $"The {format} file cannot be written";
        fixed (T* pixels = image.Pixels)
        {
            using var meant = Wrap(image, pixels, type, interpretation, failure);
            var name = VipsNative.FindSave(path);
            if (name == null)
                throw VipsError.Take(failure);

            using var save = new VipsOperation(name).SetImage("in", meant).Set("filename", path);
            foreach (var (setting, value) in settings)
                save.Set(setting, value.ToString(CultureInfo.InvariantCulture));
            save.Run(failure);
        }
    }

    // libvips converts integers alone.
    private static Image<float> ToSrgb(Image<float> image)
    {
        var words = Image<ushort>.CreateEmpty(image.Width, image.Height, image.Channels);
        words.Metadata = image.Metadata;
        for (var i = 0; i < words.Pixels.Length; i++)
            words.Pixels[i] = (ushort)Math.Round(Math.Clamp(image.Pixels[i], 0f, 1f) * ushort.MaxValue);
        var converted = ToSrgb(words, VipsFormat.UShort);
        var pixels = Array.ConvertAll(converted.Pixels, word => word / (float)ushort.MaxValue);
        return new Image<float>(image.Width, image.Height, image.Channels, pixels) { Metadata = converted.Metadata };
    }

    private static Image<T> ToSrgb<T>(Image<T> image, VipsFormat type)
        where T : unmanaged, INumber<T>
    {
        const string Failure = "The picture's colour profile cannot be converted";
        var (colors, isWide) = (image.HasAlpha ? image.Channels - 1 : image.Channels, type == VipsFormat.UShort);
        fixed (T* pixels = image.Pixels)
        {
            using var stored = Wrap(image, pixels, type, colors == 1 ? isWide ? "grey16" : "b-w" : isWide ? "rgb16" : "srgb", Failure);
            using var convert = new VipsOperation("icc_transform\0"u8).SetImage("in", stored).Set("embedded", "true")
                .Set("output-profile", "srgb").Set("depth", isWide ? "16" : "8").Set("intent", "perceptual");
            using var converted = convert.RunToImage(Failure);
            using var cast = new VipsOperation("cast\0"u8).Set("format", isWide ? "ushort" : "uchar").SetImage("in", converted);
            using var known = cast.RunToImage(Failure);
            var rgb = (Image<T>)Copy(known, "converted", Failure);
            var result = new Image<T>(image.Width, image.Height, image.Channels, (T[])image.Pixels.Clone());
            for (int from = 0, to = 0; to < result.Pixels.Length; from += rgb.Channels, to += image.Channels)
                rgb.Pixels.AsSpan(from, colors).CopyTo(result.Pixels.AsSpan(to));
            result.Metadata = image.Metadata.WithoutColors();
            return result;
        }
    }

    // The picture in libvips's hands, with its profile and resolution; its pixels stay where they are.
    private static VipsImage Wrap<T>(Image<T> image, T* pixels, VipsFormat type, string interpretation, string failure)
        where T : unmanaged, INumber<T>
    {
        var bytes = (nuint)image.Pixels.Length * (nuint)sizeof(T);
        var handle = VipsNative.ImageFromMemory(pixels, bytes, image.Width, image.Height, image.Channels, type);
        if (handle == 0)
            throw VipsError.Take(failure);

        using var bare = new VipsImage(handle);
        using var copy = new VipsOperation("copy\0"u8).SetImage("in", bare).Set("interpretation", interpretation);
        VipsMetadata.SetResolution(copy, image.Metadata);
        var meant = copy.RunToImage(failure);
        VipsMetadata.SetBlobs(meant, image.Metadata);
        return meant;
    }
}
