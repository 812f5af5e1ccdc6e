using System.Runtime.Intrinsics;

namespace SeparableConv.Loops;

/// <summary>
/// Repeats every channel of a row of bytes M times, where M is a depthwise convolution's multiplier, and adds channels up to the size of a
/// block (<see cref="ChannelBlocks"/>).
/// </summary>
internal readonly unsafe struct ChannelSpread
{
    private const int Chunk = 16;

    private readonly int _channels;
    private readonly int _multiplier;
    private readonly int _spread;

    // For each chunk of a spread pixel: where among the input's channels it begins, and which of 16 from there each of its bytes is.
    private readonly int[] _starts;
    private readonly Vector128<byte>[] _picks;

    /// <param name="channels">C.</param>
    /// <param name="multiplier">M.</param>
    /// <param name="spread">Channels of a spread pixel, C*M at least.</param>
    public ChannelSpread(int channels, int multiplier, int spread)
    {
        (_channels, _multiplier, _spread) = (channels, multiplier, spread);
        var chunks = (spread + Chunk - 1) / Chunk;
        (_starts, _picks) = (new int[chunks], new Vector128<byte>[chunks]);
        Span<byte> picks = stackalloc byte[Chunk];
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            _starts[chunk] = Channel(chunk * Chunk);
            for (var i = 0; i < Chunk; i++)
                picks[i] = (byte)(Channel((chunk * Chunk) + i) - _starts[chunk]);
            _picks[chunk] = Vector128.Create<byte>(picks);
        }

        // What pads stands for nothing: any channel will do.
        int Channel(int output) => Math.Min(output / multiplier, channels - 1);
    }

    /// <summary>Bytes behind a spread row that are written to.</summary>
    public static int Slack => Chunk;

    /// <summary>Spreads neighbouring pixels.</summary>
    public void Run(byte* source, nint pixels, byte* target)
    {
        var end = source + (pixels * _channels);
        nint pixel = 0;
        if (_multiplier == 1 && _spread is 8 or 16 or 32 && pixels * _channels >= _spread)
        {
            // Vectors that only pad: what is copied too much are the next pixel's channels.
            pixel = (((pixels * _channels) - _spread) / _channels) + 1;
            Pad(source, pixel, target);
            source += pixel * _channels;
            target += pixel * _spread;
        }

        for (; pixel < pixels; pixel++, source += _channels, target += _spread)
        {
            // A chunk that goes beyond the pixel is written over by the next.
            for (var chunk = 0; chunk < _starts.Length; chunk++)
            {
                var from = source + _starts[chunk];
                var bytes = end - from >= Chunk ? Vector128.Load(from) : LoadLast(from, (int)(end - from));
                Vector128.Shuffle(bytes, _picks[chunk]).Store(target + (chunk * Chunk));
            }
        }
    }

    private void Pad(byte* source, nint pixels, byte* target)
    {
        nint channels = _channels;
        switch (_spread)
        {
            case 32:
                for (; pixels > 0; pixels--, source += channels, target += 32)
                    Vector256.Load(source).Store(target);
                break;
            case 16:
                for (; pixels > 0; pixels--, source += channels, target += 16)
                    Vector128.Load(source).Store(target);
                break;
            default:
                for (; pixels > 0; pixels--, source += channels, target += 8)
                    *(ulong*)target = *(ulong*)source;
                break;
        }
    }

    private static Vector128<byte> LoadLast(byte* from, int count)
    {
        var bytes = stackalloc byte[Chunk];
        new Span<byte>(from, count).CopyTo(new Span<byte>(bytes, Chunk));
        return Vector128.Load(bytes);
    }
}
