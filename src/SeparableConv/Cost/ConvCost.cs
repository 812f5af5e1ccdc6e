namespace SeparableConv;

/// <summary>What a convolution costs: operations, weights and bytes, from its geometry alone.</summary>
/// <remarks>
/// Padding taps count as the formula does: an output number takes kH*kW*inChannels/groups multiplications wherever it lies.
/// Numbers are float32, 4 bytes. Every count is exact or throws <see cref="OverflowException"/>. Bias is left out unless
/// asked for, so that parameters are weights.
/// </remarks>
/// <param name="Multiplications">Multiplications.</param>
/// <param name="Additions">Additions: one less than multiplications for each sum, and one for each bias.</param>
/// <param name="Weights">Numbers in the kernels.</param>
/// <param name="Biases">Numbers in the biases.</param>
/// <param name="BytesMoved">Bytes of input, weights and output, each step of the convolution reading and writing them once.</param>
/// <param name="PeakActivationBytes">
/// The most bytes of activations alive at once: input and output of a step, and a tile where one is used.
/// </param>
/// <param name="Batch">N of the output.</param>
/// <param name="Output">Height and width of the output.</param>
/// <param name="OutChannels">Channels of the output.</param>
public readonly record struct ConvCost(
    long Multiplications,
    long Additions,
    long Weights,
    long Biases,
    long BytesMoved,
    long PeakActivationBytes,
    int Batch,
    Size2D Output,
    int OutChannels)
{
    /// <summary>Bytes of a number.</summary>
    public const int BytesPerNumber = sizeof(float);

    /// <summary>Multiplications with the addition that follows each: as many as multiplications.</summary>
    public long Macs => Multiplications;

    /// <summary>Weights and biases.</summary>
    public long Parameters => checked(Weights + Biases);

    /// <summary>Standard convolution: N*outH*outW*outChannels*kH*kW*inChannels/groups multiplications.</summary>
    /// <param name="geometry">The sizes; groups count.</param>
    /// <param name="bias">Whether each filter has a bias.</param>
    /// <returns>The cost.</returns>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public static ConvCost Standard(in ConvGeometry geometry, bool bias = false)
    {
        var taps = Product(geometry.Kernel.Height, geometry.Kernel.Width, geometry.InChannels / geometry.Groups);
        return Step(geometry.Batch, geometry.Input, geometry.InChannels, geometry.Output, geometry.OutChannels, taps, bias);
    }

    /// <summary>Depthwise convolution: N*outH*outW*inChannels*M*kH*kW multiplications.</summary>
    /// <param name="geometry">The sizes; filters and groups are not looked at, so one geometry serves every form of a layer.</param>
    /// <param name="depthMultiplier">M, kernels a channel, 1 or more.</param>
    /// <param name="bias">Whether each output channel has a bias.</param>
    /// <returns>The cost; the output has inChannels*M channels.</returns>
    /// <exception cref="ArgumentException">The depth multiplier is not positive.</exception>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public static ConvCost Depthwise(in ConvGeometry geometry, int depthMultiplier = 1, bool bias = false)
    {
        var channels = Expanded(geometry, depthMultiplier);
        var taps = Product(geometry.Kernel.Height, geometry.Kernel.Width);
        return Step(geometry.Batch, geometry.Input, geometry.InChannels, geometry.Output, channels, taps, bias);
    }

    /// <summary>The 1x1 convolution behind a depthwise one: N*outH*outW*inChannels*M*outChannels multiplications.</summary>
    /// <param name="geometry">The sizes of the whole layer: the 1x1 convolution runs at its output's height and width.</param>
    /// <param name="depthMultiplier">M of the depthwise step, 1 or more; 1 for a 1x1 convolution by itself.</param>
    /// <param name="bias">Whether each filter has a bias.</param>
    /// <returns>The cost.</returns>
    /// <exception cref="ArgumentException">The depth multiplier is not positive.</exception>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public static ConvCost Pointwise(in ConvGeometry geometry, int depthMultiplier = 1, bool bias = false)
    {
        var channels = Expanded(geometry, depthMultiplier);
        return Step(geometry.Batch, geometry.Output, channels, geometry.Output, geometry.OutChannels, channels, bias);
    }

    /// <summary>Depthwise, then pointwise, the whole depthwise output in memory between them.</summary>
    /// <param name="geometry">The sizes; groups are not looked at.</param>
    /// <param name="depthMultiplier">M, kernels a channel, 1 or more.</param>
    /// <param name="bias">Whether each filter has a bias; there is one only, after the pointwise step (Keras).</param>
    /// <returns>The sum of both steps.</returns>
    /// <exception cref="ArgumentException">The depth multiplier is not positive.</exception>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public static ConvCost DepthwiseSeparable(in ConvGeometry geometry, int depthMultiplier = 1, bool bias = false) =>
        Depthwise(geometry, depthMultiplier).Then(Pointwise(geometry, depthMultiplier, bias));

    /// <summary>Depthwise separable with a tile of depthwise output in cache: it is neither written to memory nor read back.</summary>
    /// <param name="geometry">The sizes; groups are not looked at.</param>
    /// <param name="tileBytes">Bytes of all tiles alive at once, 0 or more.</param>
    /// <param name="depthMultiplier">M, kernels a channel, 1 or more.</param>
    /// <param name="bias">Whether each filter has a bias.</param>
    /// <returns>The operations of both steps; bytes of the input, the weights and the output.</returns>
    /// <exception cref="ArgumentException">The depth multiplier is not positive or the tile is negative.</exception>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public static ConvCost DepthwiseSeparableFused(in ConvGeometry geometry, long tileBytes, int depthMultiplier = 1, bool bias = false)
    {
        if (tileBytes < 0)
            throw new ArgumentException($"The tile has {tileBytes} bytes; it must have 0 or more.");
        var halves = DepthwiseSeparable(geometry, depthMultiplier, bias);
        var input = Bytes(geometry.Batch, geometry.Input, geometry.InChannels);
        var output = Bytes(geometry.Batch, geometry.Output, geometry.OutChannels);
        return halves with
        {
            BytesMoved = checked(input + output + (halves.Parameters * BytesPerNumber)),
            PeakActivationBytes = checked(input + output + tileBytes),
        };
    }

    /// <summary>kH x 1, then 1 x kW, each channel by itself: r*N*C*outH*(kH*inW + kW*outW) multiplications.</summary>
    /// <param name="geometry">
    /// The sizes; filters and groups are not looked at. Vertical stride and padding belong to the first step.
    /// </param>
    /// <param name="rank">r, terms a channel, 1 or more.</param>
    /// <param name="bias">Whether each channel has a bias.</param>
    /// <returns>The cost; the output has as many channels as the input.</returns>
    /// <exception cref="ArgumentException">The rank is not positive.</exception>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public static ConvCost SpatiallySeparablePerChannel(in ConvGeometry geometry, int rank = 1, bool bias = false)
    {
        CheckRank(rank);
        var between = new Size2D(geometry.Output.Height, geometry.Input.Width);
        var terms = checked(geometry.InChannels * rank);
        var column = Step(geometry.Batch, geometry.Input, geometry.InChannels, between, terms, geometry.Kernel.Height, bias: false);
        var taps = Product(geometry.Kernel.Width, rank);
        return column.Then(Step(geometry.Batch, between, terms, geometry.Output, geometry.InChannels, taps, bias));
    }

    /// <summary>
    /// kH x 1 from all channels to R, then 1 x kW from R to all filters: N*R*outH*(C*kH*inW + O*kW*outW) multiplications.
    /// </summary>
    /// <param name="geometry">The sizes; groups are not looked at. Vertical stride and padding belong to the first step.</param>
    /// <param name="rank">R, channels between the steps, 1 or more.</param>
    /// <param name="bias">Whether each filter has a bias.</param>
    /// <returns>The cost.</returns>
    /// <exception cref="ArgumentException">The rank is not positive.</exception>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public static ConvCost SpatiallySeparableAcrossChannels(in ConvGeometry geometry, int rank, bool bias = false)
    {
        CheckRank(rank);
        var between = new Size2D(geometry.Output.Height, geometry.Input.Width);
        var columnTaps = Product(geometry.Kernel.Height, geometry.InChannels);
        var column = Step(geometry.Batch, geometry.Input, geometry.InChannels, between, rank, columnTaps, bias: false);
        var rowTaps = Product(geometry.Kernel.Width, rank);
        return column.Then(Step(geometry.Batch, between, rank, geometry.Output, geometry.OutChannels, rowTaps, bias));
    }

    /// <summary>Multiplications of a dense image filter for each pixel and channel: kH*kW.</summary>
    /// <param name="kernel">Height and width of the kernel, 1 or more each.</param>
    /// <returns>The count.</returns>
    /// <exception cref="ArgumentException">A side is not positive.</exception>
    public static long FilterMultiplications(Size2D kernel)
    {
        CheckKernel(kernel);
        return Product(kernel.Height, kernel.Width);
    }

    /// <summary>Multiplications of a separable image filter for each pixel and channel: rank*(kH + kW).</summary>
    /// <param name="kernel">Height and width of the kernel, 1 or more each.</param>
    /// <param name="rank">Terms, 0 or more.</param>
    /// <returns>The count.</returns>
    /// <exception cref="ArgumentException">A side is not positive or the rank is negative.</exception>
    public static long FilterMultiplications(Size2D kernel, int rank)
    {
        CheckKernel(kernel);
        if (rank < 0)
            throw new ArgumentException($"The rank is {rank}; it must be 0 or more.");
        return Product(rank, (long)kernel.Height + kernel.Width);
    }

    /// <summary>
    /// The cost of this step and then another: counts are added, the peak is the higher of the two, the output is that of the other.
    /// </summary>
    /// <param name="next">The step that follows.</param>
    /// <returns>The cost of both.</returns>
    /// <exception cref="OverflowException">A count exceeds 2^63-1.</exception>
    public ConvCost Then(in ConvCost next) => checked(next with
    {
        Multiplications = Multiplications + next.Multiplications,
        Additions = Additions + next.Additions,
        Weights = Weights + next.Weights,
        Biases = Biases + next.Biases,
        BytesMoved = BytesMoved + next.BytesMoved,
        PeakActivationBytes = Math.Max(PeakActivationBytes, next.PeakActivationBytes),
    });

    // One pass over memory: every output number is a sum of `taps` products, and every filter has `taps` weights.
    private static ConvCost Step(int batch, Size2D input, int inChannels, Size2D output, int outChannels, long taps, bool bias)
    {
        checked
        {
            var outputs = Product(batch, output.Height, output.Width, outChannels);
            var weights = taps * outChannels;
            var biases = bias ? outChannels : 0;
            var activations = Bytes(batch, input, inChannels) + Bytes(batch, output, outChannels);
            return new ConvCost(
                outputs * taps,
                outputs * (bias ? taps : taps - 1),
                weights,
                biases,
                activations + ((weights + biases) * BytesPerNumber),
                activations,
                batch,
                output,
                outChannels);
        }
    }

    private static int Expanded(in ConvGeometry geometry, int depthMultiplier)
    {
        if (depthMultiplier <= 0)
            throw new ArgumentException($"The depth multiplier is {depthMultiplier}; it must be at least 1.");
        return checked(geometry.InChannels * depthMultiplier);
    }

    private static void CheckRank(int rank)
    {
        if (rank <= 0)
            throw new ArgumentException($"The rank is {rank}; it must be at least 1.");
    }

    private static void CheckKernel(Size2D kernel)
    {
        if (kernel.Height <= 0 || kernel.Width <= 0)
            throw new ArgumentException($"The kernel has size {kernel}; both sides must be at least 1.");
    }

    private static long Bytes(int batch, Size2D size, int channels) => Product(batch, size.Height, size.Width, channels, BytesPerNumber);

    private static long Product(params ReadOnlySpan<long> factors)
    {
        var product = 1L;
        foreach (var factor in factors)
            product = checked(product * factor);
        return product;
    }
}
