using System.Runtime.InteropServices;

namespace SeparableConv.Cli;

/// <summary>Ctrl-C ends the program at once, except that a file being written is finished first: no part of one is left.</summary>
internal static class Interruption
{
    private static readonly Lock Writing = new();

    /// <summary>Listens until the result is disposed.</summary>
    public static IDisposable Watch() => new Registrations(
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Exit(context, 2)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Exit(context, 15)));

    /// <summary>Writes a file that no interruption cuts short.</summary>
    public static void WriteWhole(Action write)
    {
        lock (Writing)
            write();
    }

    // 128 + signal is what shells report for a program that a signal ended. The lock is kept, so that no other file is begun.
    private static void Exit(PosixSignalContext context, int signal)
    {
        context.Cancel = true;
        lock (Writing)
            Environment.Exit(128 + signal);
    }

    private sealed class Registrations(params IDisposable[] registrations) : IDisposable
    {
        public void Dispose()
        {
            foreach (var registration in registrations)
                registration.Dispose();
        }
    }
}
