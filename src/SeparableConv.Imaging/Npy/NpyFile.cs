using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using SeparableConv.Imaging.Npy;

namespace SeparableConv.Imaging;

/// <summary>NumPy's .npy files, versions 1 to 3, read and written; see <see cref="NpyArray"/> for the element types.</summary>
/// <remarks>Format: numpy.lib.format. Both byte orders and both axis orders are read; C order in little endian is written.</remarks>
public static class NpyFile
{
    // The dictionary of an array of 32 axes takes less than a kilobyte; numpy itself refuses more than 10,000.
    private const int MaxHeaderBytes = 64 * 1024;

    // The header's end, and so the first element, is at a multiple of this.
    private const int Alignment = 64;

    /// <summary>The bytes that every .npy file begins with.</summary>
    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Whether bytes begin as every .npy file does; the stream is left where it was.</summary>
    /// <param name="input">Where from; it must be able to seek.</param>
    /// <returns>Whether <see cref="Read"/> may be tried.</returns>
    public static bool IsNpy(Stream input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Span<byte> start = stackalloc byte[Magic.Length];
        var position = input.Position;
        var count = input.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        input.Position = position;
        return count == start.Length && start.SequenceEqual(Magic);
    }

    /// <summary>Reads a file that holds one array and nothing else.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The array.</returns>
    /// <exception cref="InvalidDataException">It is no .npy file, is cut off or damaged, or its type is not supported.</exception>
    public static NpyArray Load(string path)
    {
        using var file = File.OpenRead(path);
        var array = Read(file);
        return file.ReadByte() < 0
            ? array
            : throw new InvalidDataException("The .npy file has more bytes than its shape says: it is damaged, or holds several arrays.");
    }

    /// <summary>Reads one array; the stream is left behind its last byte.</summary>
    /// <param name="input">Where from; need not seek.</param>
    /// <returns>The array.</returns>
    /// <exception cref="InvalidDataException">It is no .npy file, is cut off or damaged, or its type is not supported.</exception>
    public static NpyArray Read(Stream input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var header = ReadHeader(input);
        return ReadElements(input, header);
    }

    /// <summary>Reads an array's shape from its header alone; the stream is left at the first element.</summary>
    /// <param name="input">Where from; need not seek.</param>
    /// <returns>The extent of every axis, slowest first.</returns>
    /// <exception cref="InvalidDataException">It is no .npy file, or its header is cut off or damaged.</exception>
    public static long[] ReadShape(Stream input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return ReadHeader(input).Shape;
    }

    /// <summary>Writes an array to a file; an existing one is replaced once the new one is complete.</summary>
    /// <param name="path">The file.</param>
    /// <param name="array">What to write.</param>
    public static void Save(string path, NpyArray array)
        => AtomicFile.Write(path, output => Write(output, array));

    /// <summary>Writes an array: version 1, little endian, C order.</summary>
    /// <param name="output">Where to; need not seek.</param>
    /// <param name="array">What to write.</param>
    public static void Write(Stream output, NpyArray array)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(array);
        Write(output, array.Type, array.Shape, array.Data);
    }

    /// <summary>Writes elements that lie in the machine's byte order.</summary>
    internal static void Write(Stream output, ElementType type, ReadOnlySpan<int> shape, ReadOnlySpan<byte> data)
    {
        var order = type.Size() == 1 ? '|' : '<';
        var extents = string.Join(", ", shape.ToArray().Select(extent => extent.ToString(CultureInfo.InvariantCulture)));
        var comma = shape.Length == 1 ? "," : "";
        var text = $"{{'descr': '{order}{NpyTypes.Name(type)}', 'fortran_order': False, 'shape': ({extents}{comma}), }}";

        // Magic, version and length are 10 bytes; spaces and a newline fill up to the alignment.
        var headerBytes = (10 + text.Length + 1 + Alignment - 1) / Alignment * Alignment - 10;
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)headerBytes);
        output.Write(Magic);
        output.Write([1, 0]);
        output.Write(length);
        output.Write(Encoding.ASCII.GetBytes(text.PadRight(headerBytes - 1) + '\n'));
        if (BitConverter.IsLittleEndian)
        {
            output.Write(data);
            return;
        }

        var swapped = data.ToArray();
        ReverseElements(swapped, type.Size());
        output.Write(swapped);
    }

    /// <summary>Reads up to the first element.</summary>
    internal static NpyHeader ReadHeader(Stream input)
    {
        var start = new byte[8];
        if (input.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start.AsSpan().StartsWith(Magic))
            throw new InvalidDataException("This is not an .npy file, or it is cut off in its first bytes.");

        int version = start[6];
        if (version is < 1 or > 3 || start[7] != 0)
            throw new InvalidDataException($"The .npy file has version {version}.{start[7]}; 1.0, 2.0 or 3.0 is expected.");

        var lengthBytes = ReadExactly(input, version == 1 ? 2 : 4, "header's length");
        var length = version == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(lengthBytes)
            : BinaryPrimitives.ReadUInt32LittleEndian(lengthBytes);
        if (length > MaxHeaderBytes)
            throw new InvalidDataException($"The .npy file claims a header of {length} bytes; {MaxHeaderBytes} at most are expected.");

        // Only structured types, which are refused anyway, can hold letters beyond ASCII.
        return NpyHeaderParser.Parse(Encoding.Latin1.GetString(ReadExactly(input, (int)length, "header")));
    }

    /// <summary>Reads the elements behind a header, into C order and the machine's byte order.</summary>
    internal static NpyArray ReadElements(Stream input, NpyHeader header)
    {
        var size = header.Type.Size();
        var bytes = header.Count * size;
        if (bytes > Array.MaxLength || Array.Exists(header.Shape, extent => extent > int.MaxValue))
        {
            throw new InvalidDataException(
                $"The .npy file's array of shape {header.ShapeText} has {bytes} bytes, more than one array holds ({Array.MaxLength}); "
                + "save it in parts.");
        }

        var data = ReadExactly(input, (int)bytes, "elements");
        if (header.BigEndian == BitConverter.IsLittleEndian)
            ReverseElements(data, size);
        if (header.Type == ElementType.Bool)
            NormalizeTruth(data);

        var shape = Array.ConvertAll(header.Shape, extent => (int)extent);
        if (header.ColumnMajor && shape.Length > 1)
            data = ToRowMajor(data, shape, size);

        return new NpyArray(header.Type, shape, data);
    }

    // Where the stream's length is not known, memory is taken only as bytes arrive, whatever the header claims.
    private static byte[] ReadExactly(Stream input, int count, string what)
    {
        const int FirstPiece = 1 << 20;
        var known = input.CanSeek ? input.Length - input.Position : (long?)null;
        if (known < count)
            throw CutOff(known.Value, count, what);

        var data = GC.AllocateUninitializedArray<byte>(known is null ? Math.Min(count, FirstPiece) : count);
        for (var filled = 0; ;)
        {
            filled += input.ReadAtLeast(data.AsSpan(filled), data.Length - filled, throwOnEndOfStream: false);
            if (filled < data.Length)
                throw CutOff(filled, count, what);
            if (filled == count)
                return data;

            Array.Resize(ref data, (int)Math.Min(count, 2L * data.Length));
        }
    }

    private static InvalidDataException CutOff(long found, int expected, string what)
        => new($"The .npy file is cut off: its {what} should have {expected} bytes, but {found} are there.");

    // .NET, like NumPy, relies on true being 1.
    private static void NormalizeTruth(Span<byte> data)
    {
        foreach (ref var element in data)
            element = element == 0 ? (byte)0 : (byte)1;
    }

    private static void ReverseElements(Span<byte> data, int size)
    {
        switch (size)
        {
            case 2:
                var shorts = MemoryMarshal.Cast<byte, ushort>(data);
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 4:
                var ints = MemoryMarshal.Cast<byte, uint>(data);
                BinaryPrimitives.ReverseEndianness(ints, ints);
                break;
            case 8:
                var longs = MemoryMarshal.Cast<byte, ulong>(data);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }

    private static byte[] ToRowMajor(byte[] data, int[] shape, int size) => size switch
    {
        1 => ToRowMajor<byte>(data, shape),
        2 => ToRowMajor<ushort>(data, shape),
        4 => ToRowMajor<uint>(data, shape),
        _ => ToRowMajor<ulong>(data, shape),
    };

    private static byte[] ToRowMajor<T>(byte[] data, int[] shape)
        where T : unmanaged, INumber<T>
    {
        var result = new byte[data.Length];
        var source = MemoryMarshal.Cast<byte, T>(data);
        var target = MemoryMarshal.Cast<byte, T>(result.AsSpan());
        var index = new int[shape.Length];
        var strides = new int[shape.Length];
        for (int axis = 0, stride = 1; axis < shape.Length && source.Length > 0; stride *= shape[axis], axis++)
            strides[axis] = stride;

        // Counts through the target in order, the last axis fastest, and keeps the source's position beside it.
        for (int to = 0, from = 0; to < target.Length; to++)
        {
            target[to] = source[from];
            for (var axis = shape.Length - 1; axis >= 0; axis--)
            {
                from += strides[axis];
                if (++index[axis] < shape[axis])
                    break;

                from -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }

        return result;
    }
}
