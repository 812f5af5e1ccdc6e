using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

public sealed class AtomicFileTests
{
    [Fact]
    public void What_killed_processes_have_left_is_removed_and_nothing_else()
    {
        using var folder = new TempFolder();
        var left = $".a.{Guid.NewGuid():n}.bin";
        string[] others =
        [
            "a.bin", $".a.{Guid.NewGuid():n}.txt", $".b.{Guid.NewGuid():n}.bin", $".a.{Guid.NewGuid():n}", ".a.bin", ".a..bin",
            $".a.{new string('x', 32)}.bin", $".a.{Guid.NewGuid():n}0.bin", $"a.{Guid.NewGuid():n}.bin",
        ];
        foreach (var name in (string[])[left, .. others])
            File.WriteAllText(folder[name], "left");
        Directory.CreateDirectory(folder[$".a.{Guid.NewGuid():n}.bin"]);
        AtomicFile.RemoveLeftovers(folder["a.bin"]);
        Assert.Equal(others.Order(), folder.Names);

        // Neither need be there.
        AtomicFile.RemoveLeftovers(folder["none.bin"]);
        AtomicFile.RemoveLeftovers(folder["none/a.bin"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_being_written_stays(bool toDisk)
    {
        using var folder = new TempFolder();
        AtomicFile.Write(
            folder["a.bin"],
            stream =>
            {
                stream.Write(new byte[100_000]);
                AtomicFile.RemoveLeftovers(folder["a.bin"]);
                stream.WriteByte(1);
            },
            toDisk);
        Assert.Equal(["a.bin"], folder.Names);
        Assert.Equal(100_001, new FileInfo(folder["a.bin"]).Length);
    }

    [Fact]
    public void A_writer_that_fails_leaves_what_was_there()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["a.bin"], "before");
        foreach (var size in new[] { 0, 10, 1_000_000 })
        {
            var e = Assert.Throws<IOException>(() => AtomicFile.Write(folder["a.bin"], stream =>
            {
                stream.Write(new byte[size]);
                throw new IOException("No space left on device");
            }));
            Assert.Equal("No space left on device", e.Message);
            Assert.Equal(["a.bin"], folder.Names);
            Assert.Equal("before", File.ReadAllText(folder["a.bin"]));
        }
    }
}
