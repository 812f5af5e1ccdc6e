using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Networks.Inference;

namespace SeparableConv.Tests.Networks.Inference;

public class ArenaLayoutTests
{
    private static readonly Gen<BufferLifetime[]> Lifetimes =
        (from bytes in Gen.OneOf(Gen.Choose(0, 300), Gen.Choose(0, 40).Select(pages => pages * 4096), Gen.Choose(0, 100_000))
         from first in Gen.Choose(-1, 20)
         from length in Gen.Frequency((4, Gen.Choose(0, 3)), (1, Gen.Choose(0, 20)))
         select new BufferLifetime(bytes, first, first + length)).ArrayOf();

    [Fact]
    public void No_two_buffers_that_are_needed_together_overlap() => Prop.ForAll(Arb.From(Lifetimes), buffers =>
    {
        var (offsets, bytes) = ArenaLayout.Place(buffers);
        Assert.True(bytes >= ArenaLayout.LowerBound(buffers));
        for (var i = 0; i < buffers.Length; i++)
        {
            Assert.Equal(0, offsets[i] % ArenaLayout.Alignment);
            Assert.InRange(offsets[i], 0, bytes - buffers[i].Bytes);
            for (var j = 0; j < i; j++)
            {
                var isApart = offsets[i] + buffers[i].Bytes <= offsets[j] || offsets[j] + buffers[j].Bytes <= offsets[i];
                Assert.True(isApart || !buffers[i].Meets(buffers[j]), $"{buffers[i]} at {offsets[i]} and {buffers[j]} at {offsets[j]}");
            }
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    [Fact]
    public void A_chain_takes_no_more_than_its_largest_neighbours()
    {
        var sizes = new long[] { 602112, 1605632, 1605632, 3211264, 802816, 1605632, 1605632, 401408, 4096 };
        var buffers = sizes.Select((bytes, i) => new BufferLifetime(bytes, i - 1, i)).ToArray();
        var bound = ArenaLayout.LowerBound(buffers);
        Assert.Equal(1605632 + 3211264, bound);
        Assert.InRange(ArenaLayout.Place(buffers).Bytes, bound, bound + 1024);
    }

    [Fact]
    public void Many_buffers_are_placed_in_time()
    {
        var random = new Random(1);
        var buffers = Enumerable.Range(0, 50_000).Select(i => new BufferLifetime(random.Next(10_000), i, i + random.Next(5))).ToArray();
        var bound = ArenaLayout.LowerBound(buffers);
        Assert.InRange(ArenaLayout.Place(buffers).Bytes, bound, 2 * bound);
    }
}
