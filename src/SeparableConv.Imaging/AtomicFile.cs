namespace SeparableConv.Imaging;

/// <summary>Writes files whole or not at all.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Writes to a new file beside the target and renames it at the end; the new file is removed where writing fails. A
    /// link is followed, so that the file it names is replaced and not the link; devices are written directly.
    /// </summary>
    public static void Write(string path, Action<Stream> write)
    {
        if (IsDevice(path))
        {
            using var device = new FileStream(path, FileMode.Open, FileAccess.Write);
            write(device);
            return;
        }

        WriteBeside(path, beside =>
        {
            using var file = new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
            write(file);
        });
    }

    /// <summary>As <see cref="Write"/>, for a writer that opens the file itself and goes by its extension.</summary>
    public static void WriteBeside(string path, Action<string> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var link = new FileInfo(path);
        var target = link.LinkTarget is null ? link.FullName : link.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
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

    private static bool IsDevice(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path))
            return false;

        // Shared memory is mounted among the devices, but holds ordinary files.
        var full = Path.GetFullPath(path);
        return full.StartsWith("/dev/", StringComparison.Ordinal) && !full.StartsWith("/dev/shm/", StringComparison.Ordinal);
    }
}
