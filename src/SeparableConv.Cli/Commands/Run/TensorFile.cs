using SeparableConv.Cli.Pictures;

namespace SeparableConv.Cli.Commands;

/// <summary>Tensors in .npy files, in a network's own type and layout: read for its inputs, made of its outputs.</summary>
internal static class TensorFile
{
    /// <summary>Whether a file is .npy, by its content; a file that cannot be opened is not, which is told when its turn comes.</summary>
    public static bool Is(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return file.CanSeek && NpyFile.IsNpy(file);
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            return false;
        }
    }

    /// <summary>The shape that a file says.</summary>
    /// <exception cref="InputException">The file cannot be read.</exception>
    public static int[] ShapeOf(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return Array.ConvertAll(NpyFile.ReadShape(file), length => checked((int)length));
        }
        catch (Exception e) when (Failure.IsExpected(e) || e is OverflowException)
        {
            throw new InputException(PictureFile.Named(path, e), e);
        }
    }

    /// <summary>The numbers of a file.</summary>
    /// <exception cref="InputException">The file cannot be read.</exception>
    public static TensorData Data(string path)
    {
        var array = Load(path);
        var data = TensorData.CreateZeros(new(array.Type, new TensorShape(array.Shape)));
        array.Data.CopyTo(data.Bytes);
        return data;
    }

    /// <summary>Reads a tensor to where the network reads it.</summary>
    /// <exception cref="InputException">
    /// The file cannot be read, or its type or shape is not the input's; a leading length of 1 may be left out.
    /// </exception>
    public static void Read(string path, Value input, Span<byte> memory)
    {
        var array = Load(path);
        var isType = array.Type == input.Type.Element;
        var isShape = WithoutBatch(array.Shape).SequenceEqual(WithoutBatch(input.Type.Shape.Lengths));
        if (!isType || !isShape)
        {
            var remedy = (isType, isShape) switch
            {
                (false, true) => "convert it with numpy's astype.",
                (true, false) => "reshape it, or load the model with --shape where that is open or only the batch differs.",
                _ => "is it for another input or network?",
            };
            throw new InputException(
                $"{path}: {PlanNames.Of(array.Type)} {new TensorShape(array.Shape)}, but the input '{input.Name}' takes {input.Type}; "
                + $"{remedy}");
        }

        array.Data.CopyTo(memory);
    }

    /// <summary>The array that holds a tensor.</summary>
    public static NpyArray ArrayOf(TensorType type, ReadOnlySpan<byte> memory) =>
        NpyArray.FromBytes(type.Element, memory, type.Shape.Lengths);

    private static NpyArray Load(string path)
    {
        try
        {
            return NpyFile.Load(path);
        }
        catch (Exception e) when (Failure.IsExpected(e))
        {
            throw new InputException(PictureFile.Named(path, e), e);
        }
    }

    private static ReadOnlySpan<int> WithoutBatch(ReadOnlySpan<int> lengths)
    {
        while (lengths is [1, ..])
            lengths = lengths[1..];
        return lengths;
    }
}
