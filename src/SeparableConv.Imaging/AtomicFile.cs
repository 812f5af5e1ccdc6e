namespace SeparableConv.Imaging;

/// <summary>Writes files whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes to a new file beside the target and renames it at the end; the new file is removed where writing fails. A
    /// link is followed, so that the file it names is replaced and not the link; devices are written directly.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes to the stream that it is given.</param>
    /// <param name="toDisk">
    /// Whether the new file is on the disk, and not only in the system's memory, before it takes the old one's place: neither a crash of
    /// the system nor a power cut then loses both. That takes milliseconds, and longer the more there is to write: it is for what cannot
    /// be made again.
    /// </param>
    public static void Write(string path, Action<Stream> write, bool toDisk = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (IsDevice(path) || IsDevice(Target(path)))
        {
            using var device = new FileStream(path, FileMode.Open, FileAccess.Write);
            write(device);
            return;
        }

        WriteBeside(path, beside =>
        {
            using var file = new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
            write(file);
            if (toDisk)
                file.Flush(flushToDisk: true);
        });
        if (toDisk)
            DirectoryEntries.Flush(Path.GetDirectoryName(Target(path))!);
    }

    /// <summary>As <see cref="Write"/>, for a writer that opens the file itself and goes by its extension.</summary>
    public static void WriteBeside(string path, Action<string> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var target = Target(path);
        if (Directory.Exists(target))
            throw new IOException($"'{path}' is a directory; the name of a file is expected.");

        var directory = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"The directory of '{path}' does not exist; make it first.");

        var beside = Path.Combine(directory, $".{Path.GetFileNameWithoutExtension(target)}.{Guid.NewGuid():n}{Path.GetExtension(target)}");
        try
        {
            write(beside);
            File.Move(beside, target, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    private static string Target(string path)
    {
        var link = new FileInfo(path);
        return link.LinkTarget is null ? link.FullName : link.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    private static bool IsDevice(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path))
            return false;

        // Shared memory is mounted among the devices, but holds ordinary files.
        var full = Path.GetFullPath(path);
        return full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal);
    }
}
