using System.Numerics.Tensors;
using SeparableConv.Loops;

namespace SeparableConv;

/// <summary>
/// Spatially separable convolution: a kH x 1 convolution down the columns, then a 1 x kW convolution along the rows, either
/// within each channel (<see cref="PerChannel"/>) or across channels through R between them (<see cref="AcrossChannels"/>).
/// </summary>
/// <remarks>
/// The first step has the vertical stride, dilation and padding, the second the horizontal ones; bias and activation follow the
/// second. A few rows of the first step's output stay in the cache for the second.
/// </remarks>
public sealed unsafe class SpatiallySeparableConv2D : Convolution
{
    private readonly SpatialLoop _loop;
    private readonly int _rank;

    private SpatiallySeparableConv2D(
        Size2D kernel, int inChannels, int rank, int outChannels, ConvOptions options, ExecutionOptions? execution, SpatialLoop spatial)
        : base(kernel, inChannels, outChannels, options, execution ?? ExecutionOptions.Default)
    {
        _rank = rank;
        _loop = spatial;
    }

    /// <summary>
    /// One column and one row a channel: y[n,i,j,c] = activation(bias[c] + sum over v of r[v,c] * sum over u of x[n,..,..,c] * k[u,c]).
    /// </summary>
    /// <param name="column">(kH, C).</param>
    /// <param name="row">(kW, C).</param>
    /// <param name="bias">(C), or empty for none.</param>
    /// <param name="options">Stride, padding and the rest; groups stay 1.</param>
    /// <param name="execution">Threads and the form of computing; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <returns>The convolution.</returns>
    /// <exception cref="ArgumentException">A shape or an option does not fit.</exception>
    public static SpatiallySeparableConv2D PerChannel(
        in ReadOnlyTensorSpan<float> column,
        in ReadOnlyTensorSpan<float> row,
        ReadOnlySpan<float> bias = default,
        ConvOptions? options = null,
        ExecutionOptions? execution = null)
    {
        options ??= ConvOptions.Default;
        var down = TensorDoor.Weights(column, "(kH, C)", "Column");
        var along = TensorDoor.Weights(row, "(kW, C)", "Row");
        var channels = (int)column.Lengths[1];
        TensorDoor.CheckShape(row.Lengths, [row.Lengths[0], channels], "row weights tensor");
        var kernel = new Size2D((int)column.Lengths[0], (int)row.Lengths[0]);
        Check(options, bias, channels);
        var width = SimdWidths.Best;
        var first = new DepthwiseLoop(down, new(kernel.Height, 1), channels, 1, default, Activation.None, width);
        var second = new DepthwiseLoop(along, new(1, kernel.Width), channels, 1, bias, options.Activation, width);
        return new(kernel, channels, channels, channels, options, execution, new SpatialLoop(first, second));
    }

    /// <summary>
    /// Every output channel sees every input channel, through R channels:
    /// y[n,i,j,o] = activation(bias[o] + sum over v,r of h[0,v,r,o] * sum over u,c of x[n,..,..,c] * k[u,0,c,r]).
    /// </summary>
    /// <param name="vertical">(kH, 1, C, R).</param>
    /// <param name="horizontal">(1, kW, R, O).</param>
    /// <param name="bias">(O), or empty for none.</param>
    /// <param name="options">Stride, padding and the rest; groups stay 1.</param>
    /// <param name="execution">Threads and the form of computing; <see cref="ExecutionOptions.Default"/> where null.</param>
    /// <returns>The convolution.</returns>
    /// <exception cref="ArgumentException">A shape or an option does not fit.</exception>
    public static SpatiallySeparableConv2D AcrossChannels(
        in ReadOnlyTensorSpan<float> vertical,
        in ReadOnlyTensorSpan<float> horizontal,
        ReadOnlySpan<float> bias = default,
        ConvOptions? options = null,
        ExecutionOptions? execution = null)
    {
        options ??= ConvOptions.Default;
        var down = TensorDoor.Weights(vertical, "(kH, 1, C, R)", "Vertical");
        var along = TensorDoor.Weights(horizontal, "(1, kW, R, O)", "Horizontal");
        var (kernelH, channels, rank) = ((int)vertical.Lengths[0], (int)vertical.Lengths[2], (int)vertical.Lengths[3]);
        TensorDoor.CheckShape(vertical.Lengths, [kernelH, 1, channels, rank], "vertical weights tensor");
        var (kernelW, outChannels) = ((int)horizontal.Lengths[1], (int)horizontal.Lengths[3]);
        TensorDoor.CheckShape(horizontal.Lengths, [1, kernelW, rank, outChannels], "horizontal weights tensor");
        Check(options, bias, outChannels);
        var width = SimdWidths.Best;
        var first = new StandardLoop(down, new(kernelH, 1), channels, rank, 1, 1, default, Activation.None, width);
        var second = new StandardLoop(
            along, new(1, kernelW), rank, outChannels, 1, options.Dilation.Width, bias, options.Activation, width);
        return new(new(kernelH, kernelW), channels, rank, outChannels, options, execution, new SpatialLoop(first, second));
    }

    private protected override ConvGeometry CreateGeometry(int batch, Size2D input) => ConvGeometry.Create(
        batch, input, InChannels, OutChannels, KernelSize, Options.Stride, Options.Dilation, Options.Padding);

    internal override void RunLoop(float* input, float* output, in ConvGeometry geometry, int threads) =>
        _loop.Run(input, output, geometry, _rank, threads);

    private static void Check(ConvOptions options, ReadOnlySpan<float> bias, int outChannels)
    {
        if (options.Groups != 1)
            throw new ArgumentException(
                $"Groups is {options.Groups}; a spatially separable convolution is per channel or across all channels, "
                + "so leave Groups at 1.");
        TensorDoor.CheckBias(bias, outChannels);
    }
}
