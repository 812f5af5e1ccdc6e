using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace SeparableConv.Bench;

/// <summary>
/// OpenCV in a Python process of its own (bench/peers/opencv_filters.py), asked over a pipe. Times are taken on its side,
/// around its call; nothing crosses the pipe meanwhile.
/// </summary>
internal sealed class OpenCvPeer : IDisposable
{
    private readonly Process _process;
    private int _images;

    private OpenCvPeer(Process process) => _process = process;

    /// <summary>Starts the server with the interpreter that SEPCONV_PYTHON names, /usr/bin/python3 by default.</summary>
    public static OpenCvPeer Start()
    {
        var python = Environment.GetEnvironmentVariable("SEPCONV_PYTHON") ?? "/usr/bin/python3";
        var start = new ProcessStartInfo(python) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(FindServer());
        try
        {
            return new OpenCvPeer(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(
                $"{python} could not be started ({e.Message}); set SEPCONV_PYTHON to a Python with OpenCV.", e);
        }
    }

    /// <summary>Hands a picture over, through a file; the answer names it in later commands.</summary>
    public int Load<T>(ReadOnlySpan<T> pixels, ImageShape shape)
        where T : unmanaged
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, MemoryMarshal.AsBytes(pixels));
            var type = shape.Type switch { ElementType.UInt8 => "uint8", ElementType.UInt16 => "uint16", _ => "float32" };
            JsonArray lengths = shape.Channels == 1 ? [shape.Height, shape.Width] : [shape.Height, shape.Width, shape.Channels];
            Ask(new JsonObject { ["do"] = "load", ["id"] = ++_images, ["path"] = path, ["type"] = type, ["shape"] = lengths });
            return _images;
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Unload(int image) => Ask(new JsonObject { ["do"] = "unload", ["id"] = image });

    /// <summary>The median of a few runs, in milliseconds.</summary>
    public double Time(int image, JsonObject operation, int threads, int repeat)
    {
        var command = operation.DeepClone().AsObject();
        (command["do"], command["id"], command["threads"], command["repeat"]) = ("time", image, threads, repeat);
        return SideBySide.Median(Ask(command)["milliseconds"]!.AsArray().Select(ms => (double)ms!));
    }

    /// <summary>The picture that OpenCV makes.</summary>
    public T[] Run<T>(int image, JsonObject operation)
        where T : unmanaged
    {
        var path = Path.GetTempFileName();
        try
        {
            var command = operation.DeepClone().AsObject();
            (command["do"], command["id"], command["output"]) = ("run", image, path);
            Ask(command);
            return MemoryMarshal.Cast<byte, T>(File.ReadAllBytes(path)).ToArray();
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private JsonNode Ask(JsonObject command)
    {
        _process.StandardInput.WriteLine(command.ToJsonString());
        _process.StandardInput.Flush();
        var line = _process.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException("The OpenCV server ended; run bench/peers/opencv_filters.py by hand to see why.");
        var answer = JsonNode.Parse(line)!;
        return answer["error"] is { } error ? throw new InvalidOperationException("OpenCV: " + error) : answer;
    }

    private static string FindServer()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            foreach (var path in new[] { "peers/opencv_filters.py", "bench/peers/opencv_filters.py" })
            {
                var candidate = Path.Combine(folder.FullName, path);
                if (File.Exists(candidate))
                    return candidate;
            }
        }

        throw new InvalidOperationException($"bench/peers/opencv_filters.py is not above {AppContext.BaseDirectory}.");
    }
}
