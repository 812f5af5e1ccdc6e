namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// The two layouts of images: ONNX puts channels first, (N, C, H, W), networks here put them last, (N, H, W, C). A tensor (N, C, L) with
/// one spatial axis, a row, is an image of height 1 here: (N, 1, L, C).
/// </summary>
internal static class ImageLayout
{
    /// <summary>Whether a tensor of so many dimensions can be an image.</summary>
    public static bool IsImage(int rank) => rank is 3 or 4;

    /// <summary>Where dimension <paramref name="axis"/> of a channels-first tensor is in the channels-last one.</summary>
    public static int LastAxis(int rank, int axis) => axis switch
    {
        0 => 0,
        1 => 3,
        _ => axis - 1 + (4 - rank),
    };

    /// <summary>The channels-last shape of a channels-first one.</summary>
    public static TensorShape ToLast(TensorShape shape) =>
        shape.Rank == 4 ? new(shape[0], shape[2], shape[3], shape[1]) : new(shape[0], 1, shape[2], shape[1]);

    /// <summary>The channels-first shape of so many dimensions that a channels-last one stands for.</summary>
    public static TensorShape ToFirst(TensorShape shape, int rank) =>
        rank == 4 ? new(shape[0], shape[3], shape[1], shape[2]) : new(shape[0], shape[3], shape[2]);

    /// <summary>
    /// One number for each dimension, rearranged from channels first to last. A row has no height; its number is <paramref name="height"/>.
    /// </summary>
    public static int[] ToLast(ReadOnlySpan<int> perAxis, int height) =>
        perAxis.Length == 4 ? [perAxis[0], perAxis[2], perAxis[3], perAxis[1]] : [perAxis[0], height, perAxis[2], perAxis[1]];
}
