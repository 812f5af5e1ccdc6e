namespace SeparableConv.Imaging;

/// <summary>Writes files whole or not at all.</summary>
internal static class AtomicFile
{
    private const string GuidFormat = "n";
    private const int GuidLength = 32;

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

        Replace(path, (beside, target) =>
        {
            using var file = new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.Delete, 1 << 16);
            write(file);
            file.Flush(flushToDisk: toDisk);

            // While it is open: a file that nobody has open is taken for one that a killed process left.
            File.Move(beside, target, overwrite: true);
        });
        if (toDisk)
            DirectoryEntries.Flush(Path.GetDirectoryName(Target(path))!);
    }

    /// <summary>As <see cref="Write"/>, for a writer that opens the file itself and goes by its extension.</summary>
    public static void WriteBeside(string path, Action<string> write) => Replace(path, (beside, target) =>
    {
        write(beside);
        File.Move(beside, target, overwrite: true);
    });

    /// <summary>
    /// Removes what processes that were killed in <see cref="Write"/> have left beside a file. What a running process writes is open and
    /// stays.
    /// </summary>
    /// <param name="path">The file that was to be written; neither it nor its directory need be there.</param>
    public static void RemoveLeftovers(string path)
    {
        var target = Target(path);
        var directory = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(directory))
            return;
        var (start, end) = BesideName(target);
        var all = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true };
        foreach (var beside in Directory.EnumerateFiles(directory, "*", all))
        {
            var name = Path.GetFileName(beside);
            if (name.Length != start.Length + GuidLength + end.Length
                || !name.StartsWith(start, StringComparison.Ordinal) || !name.EndsWith(end, StringComparison.Ordinal)
                || !Guid.TryParseExact(name.AsSpan(start.Length, GuidLength), GuidFormat, out _))
                continue;
            try
            {
                using var file = new FileStream(beside, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            File.Delete(beside);
        }
    }

    // The new file is removed where its writer throws.
    private static void Replace(string path, Action<string, string> writeAndMove)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var target = Target(path);
        if (Directory.Exists(target))
            throw new IOException($"'{path}' is a directory; the name of a file is expected.");

        var directory = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"The directory of '{path}' does not exist; make it first.");

        var (start, end) = BesideName(target);
        var beside = Path.Combine(directory, start + Guid.NewGuid().ToString(GuidFormat) + end);
        try
        {
            writeAndMove(beside, target);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    // The new file's name around its GUID: hidden, and of the same extension.
    private static (string Start, string End) BesideName(string target) =>
        ($".{Path.GetFileNameWithoutExtension(target)}.", Path.GetExtension(target));

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
