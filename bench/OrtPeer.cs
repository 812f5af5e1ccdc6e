using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace SeparableConv.Bench;

/// <summary>
/// ONNX Runtime in a process of its own (bench/peers/ort/server.mjs, see bench/README.md), asked over a pipe. The times are
/// taken on its side, around its run call; nothing crosses the pipe meanwhile.
/// </summary>
internal sealed class OrtPeer : IDisposable
{
    private readonly Process _process;

    private OrtPeer(Process process) => _process = process;

    /// <summary>Starts the server.</summary>
    /// <exception cref="InvalidOperationException">Node.js or the server file is not there.</exception>
    public static OrtPeer Start()
    {
        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(FindServer());
        try
        {
            return new OrtPeer(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(
                "Node.js could not be started (" + e.Message + "); bench/README.md says how to install the peers.", e);
        }
    }

    /// <summary>Loads a model for a number of threads.</summary>
    public int Load(string path, int threads) =>
        (int)Ask(new JsonObject { ["do"] = "load", ["path"] = Path.GetFullPath(path), ["threads"] = threads })["id"]!;

    /// <summary>Loads a model that is written to a temporary file for the purpose.</summary>
    public int Load(OnnxModel model, int threads)
    {
        var path = Path.GetTempFileName();
        try
        {
            model.Save(path);
            return Load(path, threads);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Unload(int id) => Ask(new JsonObject { ["do"] = "unload", ["id"] = id });

    /// <summary>Milliseconds of each of <paramref name="repeat"/> runs.</summary>
    public double[] Time(int id, int repeat, int warmup = 1)
    {
        var answer = Ask(new JsonObject { ["do"] = "time", ["id"] = id, ["warmup"] = warmup, ["repeat"] = repeat });
        return [.. answer["milliseconds"]!.AsArray().Select(ms => (double)ms!)];
    }

    /// <summary>One of the model's outputs for an input of ours, both as ONNX lays them out (NCHW).</summary>
    public float[] Run(int id, ReadOnlySpan<float> input, int index = 0)
    {
        var (from, to) = (Path.GetTempFileName(), Path.GetTempFileName());
        try
        {
            File.WriteAllBytes(from, MemoryMarshal.AsBytes(input));
            Ask(new JsonObject { ["do"] = "run", ["id"] = id, ["input"] = from, ["output"] = to, ["index"] = index });
            return MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(to)).ToArray();
        }
        finally
        {
            File.Delete(from);
            File.Delete(to);
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static string FindServer()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var server = Path.Combine(folder.FullName, "bench", "peers", "ort", "server.mjs");
            if (File.Exists(server))
                return server;
        }

        throw new InvalidOperationException(
            $"No bench/peers/ort/server.mjs above {AppContext.BaseDirectory}; run the benchmarks from within the repository.");
    }

    private JsonNode Ask(JsonObject request)
    {
        _process.StandardInput.WriteLine(request.ToJsonString());
        _process.StandardInput.Flush();
        var line = _process.StandardOutput.ReadLine()
            ?? throw new InvalidOperationException("The ONNX Runtime server ended; are its packages installed (bench/README.md)?");
        var answer = JsonNode.Parse(line)!;
        return answer["error"] is { } error ? throw new InvalidOperationException("ONNX Runtime: " + error) : answer;
    }
}
