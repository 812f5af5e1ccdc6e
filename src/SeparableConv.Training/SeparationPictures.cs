using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace SeparableConv.Training;

/// <summary>Gives pictures of a data set to a <see cref="NetworkSeparation"/>.</summary>
public static class SeparationPictures
{
    /// <summary>Pictures to fit the layers by. Labels are not looked at.</summary>
    /// <param name="separation">What is fitted.</param>
    /// <param name="data">The pictures.</param>
    /// <param name="normalization">How samples become numbers; what the network's metadata says where null.</param>
    /// <param name="count">How many are taken, at random; all where there are fewer.</param>
    /// <param name="seed">Which ones.</param>
    /// <returns>What to go on from.</returns>
    /// <exception cref="ArgumentException">
    /// The network does not take the pictures, the count is less than 1, or nothing says how samples become numbers.
    /// </exception>
    public static NetworkSeparation Calibrate(
        this NetworkSeparation separation, PictureDataSet data, Normalization? normalization = null, int count = 4000, int seed = 0)
    {
        ArgumentNullException.ThrowIfNull(separation);
        ArgumentNullException.ThrowIfNull(data);
        if (count < 1)
            throw new ArgumentException($"{count} pictures were asked for; give 1 or more.");
        var network = separation.Network;
        normalization ??= Normalization.Of(network)
            ?? throw new ArgumentException("Nothing says how samples become the network's numbers; give a normalization.");
        count = Math.Min(count, data.Count);
        var input = network.Inputs.Count == 1
            ? network.Inputs[0].Type
            : throw new ArgumentException($"The network has {network.Inputs.Count} inputs; one for pictures is expected.");
        var writer = new PictureInput(input, data);
        var options = new BatchOptions { BatchSize = count, Normalization = normalization, Seed = seed, Ahead = 1 };
        using var batches = new BatchLoader(data, options);
        var numbers = new float[checked(count * data.Height * data.Width * data.Channels)];
        writer.Write(batches.Next().Pixels, MemoryMarshal.AsBytes(numbers.AsSpan()));
        nint[] shape = [count, .. Array.ConvertAll(input.Shape.Lengths[1..].ToArray(), length => (nint)length)];
        return separation.Calibrate(new ReadOnlyTensorSpan<float>(numbers, shape));
    }
}
