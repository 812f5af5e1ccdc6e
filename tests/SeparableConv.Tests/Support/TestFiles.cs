using SeparableConv.Imaging.Vips;

namespace SeparableConv.Tests.Support;

/// <summary>Where the files that tests read and write are.</summary>
internal static class TestFiles
{
    /// <summary>A file of the shared data; the test is skipped where the machine has none.</summary>
    public static string Shared(params string[] parts)
    {
        var root = Environment.GetEnvironmentVariable("SEPCONV_DATA");
        Assert.SkipWhen(string.IsNullOrEmpty(root), "SEPCONV_DATA is not set; it names the folder of shared test data.");
        return Path.Combine([root!, .. parts]);
    }

    /// <summary>A committed file beside the script that made it.</summary>
    public static string Golden(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "Golden", name);
            if (File.Exists(path))
                return path;
        }

        throw new FileNotFoundException($"Golden/{name} is not above {AppContext.BaseDirectory}.");
    }

    /// <summary>Skips the test where libvips is not installed.</summary>
    public static void NeedVips()
    {
        try
        {
            VipsLibrary.System.Require("This test");
        }
        catch (DllNotFoundException missing)
        {
            Assert.Skip(missing.Message);
        }
    }
}
