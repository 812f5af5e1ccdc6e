namespace SeparableConv.Loops;

/// <summary>How a standard convolution is computed.</summary>
internal enum StandardForm
{
    /// <summary>Whichever is faster for the image.</summary>
    Auto,

    /// <summary>Tap by tap: <see cref="StandardLoop"/>.</summary>
    Direct,

    /// <summary>By <see cref="WinogradLoop"/>; the kernel must be 3x3 and the stride 1.</summary>
    Winograd,
}

/// <summary>
/// A standard convolution in whichever form is faster for an image. The weights are packed for a form when the first image needs it, from a
/// copy that is freed once every form that can be needed is packed.
/// </summary>
internal sealed unsafe class StandardForms
{
    // Fewer channels leave the products so little to do that the transforms cost more than is saved: 1.2 to 1.3 times the direct
    // form's speed with 16 -> 64 and 32 -> 32, but 0.9 with 24 -> 24.
    private const int LeastChannels = 16;
    private const int LeastProducts = 1024;

    /// <summary>Nine tiles are an image of 5x5 or 6x6: with fewer the 16 matrices, larger than the 9 taps, take longer to read.</summary>
    public const int LeastTiles = 9;

    private readonly object _gate = new();
    private readonly Size2D _kernel;
    private readonly int _inChannels;
    private readonly int _outChannels;
    private readonly int _groups;
    private readonly int _columnDilation;
    private readonly float[] _bias;
    private readonly Activation _activation;
    private readonly SimdWidth _width;
    private readonly StandardForm _form;
    private float[]? _weights;
    private StandardLoop? _direct;
    private WinogradLoop? _winograd;

    /// <param name="weights">(kH, kW, C/groups, O).</param>
    /// <param name="kernel">kH and kW.</param>
    /// <param name="inChannels">C.</param>
    /// <param name="outChannels">O.</param>
    /// <param name="options">Stride, dilation, groups and activation.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="width">The vector width to run with.</param>
    /// <param name="form">The form; where it does not fit the options, the direct one.</param>
    public StandardForms(
        ReadOnlySpan<float> weights, Size2D kernel, int inChannels, int outChannels,
        ConvOptions options, ReadOnlySpan<float> bias, SimdWidth width, StandardForm form)
    {
        (_kernel, _inChannels, _outChannels, _groups) = (kernel, inChannels, outChannels, options.Groups);
        _columnDilation = options.Dilation.Width;
        _activation = options.Activation;
        _width = width;
        _bias = bias.ToArray();
        var fits = kernel == new Size2D(3, 3)
            && options.Stride == new Size2D(1, 1)
            && options.Dilation == new Size2D(1, 1)
            && options.Groups == 1;
        var pays = WinogradPays(inChannels, outChannels);
        _form = fits && (pays || form == StandardForm.Winograd) ? form : StandardForm.Direct;
        if (_form == StandardForm.Direct)
            _direct = CreateDirect(weights);
        else
            _weights = weights.ToArray();
    }

    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C).</summary>
    public void Run(float* input, float* output, in ConvGeometry geometry, int threads)
    {
        if (UsesWinograd(geometry))
            Winograd().Run(input, output, geometry, threads);
        else
            Direct().Run(input, output, geometry, threads);
    }

    /// <summary>Packs the weights for images of this size, the only ones that will come: the copy for other forms is let go.</summary>
    public void MakeReady(in ConvGeometry geometry)
    {
        if (UsesWinograd(geometry))
            Winograd();
        else
            Direct();
        lock (_gate)
            _weights = null;
    }

    /// <summary>Floats that <see cref="Refill"/> needs.</summary>
    public nint RefillFloats => _winograd is null ? 0 : WinogradTiles.Planes * (nint)_inChannels * _outChannels;

    /// <summary>
    /// Packs other weights, and a bias where there is one, in the place of those before, for the forms that <see cref="MakeReady"/> made
    /// ready; allocates nothing. No convolution may be running.
    /// </summary>
    public void Refill(ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, float* scratch, int threads)
    {
        _direct?.Refill(weights, bias, threads);
        _winograd?.Refill(weights, bias, scratch, threads);
    }

    /// <summary>Whether a 3x3 convolution has channels enough for Winograd to save more than its transforms cost.</summary>
    public static bool WinogradPays(int inChannels, int outChannels) =>
        Math.Min(inChannels, outChannels) >= LeastChannels && (long)inChannels * outChannels >= LeastProducts;

    private bool UsesWinograd(in ConvGeometry geometry) =>
        _form == StandardForm.Winograd || (_form == StandardForm.Auto && IsWinogradFaster(geometry));

    // By the image, not the batch: so an image's result does not depend on what else is in its batch. Tiles of which less than
    // 5/8 is used, as in an image one pixel high, save too little.
    private static bool IsWinogradFaster(in ConvGeometry geometry)
    {
        var tiles = new WinogradTiles(geometry).InImage;
        return tiles >= LeastTiles && 2 * (long)geometry.Rows.Out * geometry.Columns.Out >= 5 * tiles;
    }

    private WinogradLoop Winograd()
    {
        if (Volatile.Read(ref _winograd) is { } ready)
            return ready;
        lock (_gate)
        {
            if (_winograd is null)
            {
                Volatile.Write(ref _winograd, new WinogradLoop(_weights, _inChannels, _outChannels, _bias, _activation, _width));
                Release();
            }

            return _winograd!;
        }
    }

    private StandardLoop Direct()
    {
        if (Volatile.Read(ref _direct) is { } ready)
            return ready;
        lock (_gate)
        {
            if (_direct is null)
            {
                Volatile.Write(ref _direct, CreateDirect(_weights));
                Release();
            }

            return _direct!;
        }
    }

    private StandardLoop CreateDirect(ReadOnlySpan<float> weights) =>
        new(weights, _kernel, _inChannels, _outChannels, _groups, _columnDilation, _bias, _activation, _width);

    private void Release()
    {
        if (_form == StandardForm.Winograd || (_direct is not null && _winograd is not null))
            _weights = null;
    }
}
