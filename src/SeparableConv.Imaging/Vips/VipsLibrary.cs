using System.Reflection;
using System.Runtime.InteropServices;

namespace SeparableConv.Imaging.Vips;

/// <summary>Finds and starts libvips, once and only when a file needs it.</summary>
internal sealed class VipsLibrary
{
    private static readonly string[] SystemNames = OperatingSystem.IsWindows()
        ? ["libvips-42.dll"]
        : OperatingSystem.IsMacOS()
            ? ["libvips.42.dylib", "/opt/homebrew/lib/libvips.42.dylib", "/usr/local/lib/libvips.42.dylib"]
            : ["libvips.so.42", "libvips.so"];

    private readonly string[] _candidates;
    private readonly Lock _lock = new();
    private nint _handle;

    static VipsLibrary() => NativeLibrary.SetDllImportResolver(typeof(VipsLibrary).Assembly, Resolve);

    /// <summary>A library that is looked for under several names, in order; tests give names that do not exist.</summary>
    internal VipsLibrary(params string[] candidates) => _candidates = candidates;

    /// <summary>The libvips that is installed on the system.</summary>
    public static VipsLibrary System { get; } = new(SystemNames);

    /// <summary>Loads and starts the library where that has not happened yet.</summary>
    /// <param name="action">What needs it, for the message: "Reading JPEG".</param>
    /// <exception cref="DllNotFoundException">It is not installed.</exception>
    public void Require(string action)
    {
        lock (_lock)
        {
            if (_handle != 0)
                return;

            var handle = Load();
            if (handle == 0)
            {
                throw new DllNotFoundException(
                    $"{action} needs libvips: install the Debian/Ubuntu package libvips42 (macOS: brew install vips), or convert the file "
                    + "to PNG.");
            }

            Start(handle);
            _handle = handle;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
        => name == VipsNative.Library ? System._handle : 0;

    private nint Load()
    {
        foreach (var candidate in _candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out var handle))
                return handle;
        }

        return 0;
    }

    private static unsafe void Start(nint handle)
    {
        // Called by address, since the imports resolve only once the library is known to work.
        var start = (delegate* unmanaged<byte*, int>)NativeLibrary.GetExport(handle, "vips_init");
        fixed (byte* name = "sepconv\0"u8)
        {
            if (start(name) != 0)
                throw new DllNotFoundException("libvips is installed but does not start; reinstall the package libvips42.");
        }

        // libvips caches what operations call within: pictures would outlive the memory of ours that they point into.
        var limitCache = (delegate* unmanaged<int, void>)NativeLibrary.GetExport(handle, "vips_cache_set_max");
        limitCache(0);

        // Failures come as exceptions with libvips's reasons; its warnings on standard error would only repeat them.
        const int Warning = 1 << 4;
        var setLog = (delegate* unmanaged<byte*, int, delegate* unmanaged<byte*, int, byte*, void*, void>, void*, uint>)
            NativeLibrary.GetExport(handle, "g_log_set_handler");
        fixed (byte* domain = "VIPS\0"u8)
            setLog(domain, Warning, &Ignore, null);
    }

    [UnmanagedCallersOnly]
    private static unsafe void Ignore(byte* domain, int level, byte* message, void* data)
    {
    }
}
