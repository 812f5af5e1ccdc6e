using System.IO.Compression;

namespace SeparableConv.Training.Data;

/// <summary>
/// A file that is read from its beginning to its end, unpacked where it is gzip: by its content, never by its name. What is wrong with it
/// is said in a line that names it.
/// </summary>
internal sealed class DataFile : IDisposable
{
    // Deflate makes at most 1032 bytes of one.
    private const long MostUnpacked = 1032;

    private readonly Stream _file;
    private readonly bool _isPacked;

    /// <summary>Takes a stream that can seek, from its beginning; it is disposed with the file.</summary>
    public DataFile(Stream file, string name)
    {
        (_file, Name) = (file, name);
        Span<byte> mark = stackalloc byte[2];
        var count = file.ReadAtLeast(mark, mark.Length, throwOnEndOfStream: false);
        file.Position = 0;
        _isPacked = count == 2 && mark is [0x1F, 0x8B];
        MostBytes = _isPacked ? file.Length * MostUnpacked : file.Length;
        Content = _isPacked ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>What it is called in messages.</summary>
    public string Name { get; }

    /// <summary>How many bytes it can hold at most, unpacked: no header may claim more.</summary>
    public long MostBytes { get; }

    /// <summary>Its bytes, unpacked.</summary>
    public Stream Content { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="IOException">It does not exist, cannot be read, or is no ordinary file.</exception>
    public static DataFile Open(string path)
    {
        var file = File.OpenRead(path);
        if (file.CanSeek)
            return new DataFile(file, path);
        file.Dispose();
        throw new IOException($"'{path}' is a pipe or a device; an ordinary file is expected: save it first.");
    }

    /// <summary>The first bytes of a file, unpacked; fewer where it has no more.</summary>
    public static byte[] Start(string path, int count)
    {
        using var file = Open(path);
        var start = new byte[count];
        return start[..file.Read(start)];
    }

    /// <summary>Fills memory.</summary>
    /// <exception cref="InvalidDataException">The file ends before, or its compression is damaged.</exception>
    public void Fill(Span<byte> memory)
    {
        var count = Read(memory);
        if (count < memory.Length)
            throw new InvalidDataException($"'{Name}' is cut off: {memory.Length} bytes more are expected, but {count} are there.");
    }

    /// <summary>Refuses what stands behind the last byte that was expected.</summary>
    /// <exception cref="InvalidDataException">There is something, or the compression's checksum is wrong.</exception>
    public void CheckEnd()
    {
        Span<byte> one = stackalloc byte[1];
        if (Read(one) != 0)
        {
            throw new InvalidDataException(
                $"'{Name}' has more bytes than its header says: it is damaged, or holds something else as well.");
        }
    }

    /// <summary>Runs what reads the content itself, and names the file where it is refused.</summary>
    public T Read<T>(Func<Stream, T> read)
    {
        try
        {
            return read(Content);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"'{Name}' cannot be read: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        Content.Dispose();
        _file.Dispose();
    }

    private int Read(Span<byte> memory)
    {
        try
        {
            return Content.ReadAtLeast(memory, memory.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException e) when (_isPacked)
        {
            throw new InvalidDataException($"'{Name}' is damaged: its gzip data cannot be unpacked.", e);
        }
    }
}
