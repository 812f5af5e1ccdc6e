using System.Numerics.Tensors;

namespace SeparableConv.Cli.Commands;

/// <summary>Makes a layer's input of pixels: floats as they are, integers scaled to 0..1.</summary>
internal static class UnitPixels
{
    /// <summary>All samples, (height, width, channels).</summary>
    public static float[] Of(Image image) => image switch
    {
        Image<byte> bytes => Scaled<byte>(bytes.Pixels, byte.MaxValue),
        Image<ushort> shorts => Scaled<ushort>(shorts.Pixels, ushort.MaxValue),
        _ => ((Image<float>)image).Pixels,
    };

    private static float[] Scaled<T>(T[] samples, float white)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        var scaled = new float[samples.Length];
        TensorPrimitives.ConvertTruncating<T, float>(samples, scaled);
        TensorPrimitives.Divide(scaled, white, scaled);
        return scaled;
    }
}
