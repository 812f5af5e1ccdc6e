using SeparableConv.Loops;

namespace SeparableConv.Tests.Loops.Layout;

/// <summary>Rows of every length arrive, and nothing beside them is touched.</summary>
public sealed unsafe class RowCopyTests
{
    [Fact]
    public void Rows_are_copied()
    {
        int[] lengths = [.. Enumerable.Range(1, 70), 95, 96, 97, 127, 128, 129, 1023, 1024, 1025];
        foreach (var length in lengths)
        {
            foreach (var (rows, gap) in new[] { (1, 0), (3, 0), (5, 7) })
            {
                var (from, to) = (length + gap, length + (2 * gap));
                using var x = new GuardedMemory(((rows - 1) * from) + length, endsAtGuard: true);
                using var y = new GuardedMemory(((rows - 1) * to) + length, endsAtGuard: true);
                new Random(length).NextBytes(x.Span<byte>());
                RowCopy.Run(x.Start, from, y.Start, to, length, rows);
                for (var row = 0; row < rows; row++)
                {
                    Assert.Equal(x.Span<byte>().Slice(row * from, length), y.Span<byte>().Slice(row * to, length));
                    if (row < rows - 1)
                        Assert.True(!y.Span<byte>().Slice((row * to) + length, to - length).ContainsAnyExcept((byte)0));
                }
            }
        }
    }
}
