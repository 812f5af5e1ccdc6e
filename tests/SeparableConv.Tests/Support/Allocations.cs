namespace SeparableConv.Tests.Support;

/// <summary>Checks that calls allocate nothing once they have run a while.</summary>
internal static class Allocations
{
    private const int CallsInRound = 50;
    private const int LeastRounds = 3;
    private const int MostRounds = 20;
    private const int RoundsThatMustAgree = 8;

    // The runtime compiles a method anew after 30 calls, as soon as for 100 ms no method was called for the first time: methods
    // that were measured meanwhile twice, hence the rounds.
    private const int CompilationMilliseconds = 200;

    /// <summary>
    /// Runs the calls until they are compiled for good and every thread of the pool has its memory; from then on not one of 50 calls may
    /// allocate a byte on the caller's thread or on any other, unless a later round allocates none. What runs beside them would be counted
    /// too, hence <see cref="QuietCollection"/>.
    /// </summary>
    /// <param name="cases">The calls, and what the failure names them.</param>
    public static void AreNone(params ReadOnlySpan<(string What, Action Call)> cases)
    {
        var isSettled = false;
        for (var round = 0; round < LeastRounds || (round < MostRounds && !isSettled); round++)
        {
            Thread.Sleep(CompilationMilliseconds);
            isSettled = true;
            foreach (var (_, call) in cases)
                isSettled &= Run(call) == (0, 0);
        }

        foreach (var (what, call) in cases)
        {
            // The test runner's own threads allocate now and then, and the runtime on a path that is seldom taken, such as the first wait
            // for a thread that the system has put aside. A call that allocates does so in each of these rounds.
            var (own, all) = Run(call);
            for (var again = 1; again < RoundsThatMustAgree && (own, all) != (0, 0); again++)
                (own, all) = Run(call);
            Assert.True(
                (own, all) == (0, 0),
                $"{what}: {CallsInRound} calls allocated {own} bytes on the caller's thread and {all} on all threads together; expected "
                + "none.");
        }
    }

    private static (long Own, long All) Run(Action call)
    {
        var all = GC.GetTotalAllocatedBytes(precise: true);
        var own = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < CallsInRound; i++)
            call();
        own = GC.GetAllocatedBytesForCurrentThread() - own;
        return (own, GC.GetTotalAllocatedBytes(precise: true) - all);
    }
}
