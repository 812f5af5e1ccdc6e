using SeparableConv.Networks.Formats.Safetensors;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Whatever goes wrong while a file is written: the one that was there before stays, and nothing is left beside it.</summary>
public sealed class SafetensorsDiskTests
{
    private static readonly Dictionary<string, TensorData> Tensors = new()
    {
        ["a"] = TensorData.Create(RandomData.Floats(1000, 1), 1000),
        ["b"] = TensorData.Create(RandomData.Floats(30_000, 2), 3, 10_000),
    };

    [Fact]
    public void A_full_disk_is_told_of_wherever_it_comes()
    {
        var whole = SafetensorsBytes.Of(Tensors);
        foreach (var room in new[] { 0, 7, 8, 100, 1000, 8000, 100_000, whole.Length - 1 })
        {
            var e = Assert.Throws<IOException>(() => SafetensorsFile.Write(new FullDisk(room), Tensors));
            Assert.Equal("No space left on device", e.Message);
        }

        SafetensorsFile.Write(new FullDisk(whole.Length), Tensors);
    }

    [Fact]
    public void The_file_before_survives_a_failure_and_nothing_is_left_beside_it()
    {
        using var folder = new TempFolder();
        var path = folder["weights.safetensors"];
        SafetensorsFile.Save(path, Tensors);
        var before = File.ReadAllBytes(path);

        // Before the first byte, and in the midst of them.
        Assert.Throws<ArgumentException>(() => SafetensorsFile.Save(path, new Dictionary<string, TensorData>
        {
            ["__metadata__"] = Tensors["a"],
        }));
        foreach (var fails in new[] { "a", "b" })
        {
            var tensors = Tensors.Select(tensor => new SafetensorsTensor(
                tensor.Key,
                tensor.Value.Type,
                () => tensor.Key == fails ? throw new IOException("No space left on device") : tensor.Value));
            Assert.Throws<IOException>(() => SeparableConv.Imaging.AtomicFile.Write(
                path, stream => SafetensorsWriter.Write(stream, tensors, null), toDisk: true));
        }

        Assert.Equal(["weights.safetensors"], folder.Names);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public void A_file_is_replaced_and_a_link_stays_one()
    {
        using var folder = new TempFolder();
        var path = folder["weights.safetensors"];
        SafetensorsFile.Save(path, new Dictionary<string, TensorData>());
        if (!OperatingSystem.IsWindows())
            File.CreateSymbolicLink(path = folder["link.safetensors"], folder["weights.safetensors"]);
        SafetensorsFile.Save(path, Tensors);
        Assert.Equal(2, SafetensorsFile.Load(folder["weights.safetensors"]).Tensors.Count);
        Assert.Equal(!OperatingSystem.IsWindows(), new FileInfo(path).LinkTarget is not null);
    }

    [Fact]
    public void A_full_device_is_told_of()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full.");
        Assert.Throws<IOException>(() => SafetensorsFile.Save("/dev/full", Tensors));
        Assert.Throws<IOException>(() => SafetensorsFile.Save("/dev/full", new Dictionary<string, TensorData>()));

        // A link to it is the device as well, and is not replaced.
        using var folder = new TempFolder();
        File.CreateSymbolicLink(folder["full"], "/dev/full");
        Assert.Throws<IOException>(() => SafetensorsFile.Save(folder["full"], Tensors));
        Assert.True(File.Exists("/dev/full"));
        SafetensorsFile.Save("/dev/null", Tensors);
    }

    [Fact]
    public void Places_that_cannot_be_used_are_refused()
    {
        using var folder = new TempFolder();
        Assert.Throws<DirectoryNotFoundException>(() => SafetensorsFile.Save(folder["none/a"], Tensors));
        Assert.Throws<IOException>(() => SafetensorsFile.Save(folder.Path, Tensors));
        Assert.Empty(folder.Names);
    }

    /// <summary>Takes some bytes and then no more.</summary>
    private sealed class FullDisk(int room) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (Length + buffer.Length > room)
                throw new IOException("No space left on device");
            base.Write(buffer);
        }
    }
}
