using System.Runtime.InteropServices;

namespace SeparableConv.Imaging;

/// <summary>
/// Brings a directory's names to the disk. A file that was renamed is known by its old name after a power cut until the directory has
/// been written too. .NET has no call for that, as it opens no directories; Unix has, Windows has not.
/// </summary>
internal static partial class DirectoryEntries
{
    private const int ReadOnly = 0;

    /// <summary>
    /// Waits until what was renamed in a directory is on the disk. A file system that cannot tell is believed: whichever of both names
    /// a power cut leaves, the file behind it is whole.
    /// </summary>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        var handle = Open(directory, ReadOnly);
        if (handle < 0)
            return;
        _ = Synchronize(handle);
        _ = Close(handle);
    }

    // The third argument is for new files alone: without it the function is called like one of two.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
