using SeparableConv.Imaging;

namespace SeparableConv.Cli.Pictures;

/// <summary>A picture and what of its file must survive.</summary>
/// <param name="Image">The pixels.</param>
/// <param name="IsNpy">Whether it came as .npy.</param>
/// <param name="HasChannelAxis">Whether it is an array (height, width, 1), which must not come out as (height, width).</param>
internal sealed record Picture(Image Image, bool IsNpy, bool HasChannelAxis);
