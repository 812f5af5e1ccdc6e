using System.Runtime.InteropServices;

namespace SeparableConv.Cli;

/// <summary>Ends the program at Ctrl-C. A file that is being written is finished first, so that no part of one is left.</summary>
internal static class Interruption
{
    private const int CtrlC = 2;
    private const int Termination = 15;
    private static readonly Lock Writing = new();
    private static CancellationTokenSource? _gentle;
    private static int _signal = CtrlC;

    /// <summary>Of a program that was interrupted: 128 + the signal, which is what shells report for one that the signal ended.</summary>
    public static int ExitCode => 128 + _signal;

    /// <summary>Listens for Ctrl-C and termination until the result is disposed.</summary>
    public static IDisposable Watch() => new Registrations(
        PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Exit(context, CtrlC)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Exit(context, Termination)));

    /// <summary>
    /// Makes the first interruption cancel the source, for work that ends by itself and keeps what it has, until the result is disposed.
    /// The second one ends the program as ever.
    /// </summary>
    public static IDisposable EndGently(CancellationTokenSource source)
    {
        _gentle = source;
        return new Gentle();
    }

    /// <summary>Runs an action that writes a file; an interruption waits for its end.</summary>
    public static void WriteWhole(Action write)
    {
        lock (Writing)
            write();
    }

    // The lock is kept, so that no other file is begun.
    private static void Exit(PosixSignalContext context, int signal)
    {
        context.Cancel = true;
        _signal = signal;
        if (Interlocked.Exchange(ref _gentle, null) is { } gentle)
        {
            gentle.Cancel();
            return;
        }

        lock (Writing)
            Environment.Exit(ExitCode);
    }

    private sealed class Gentle : IDisposable
    {
        public void Dispose() => _gentle = null;
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
