namespace SeparableConv.Loops;

/// <summary>
/// Grouped convolution in double precision, the plain loops: what every fast path is compared with. Standard convolution is
/// one group; depthwise is a group a channel.
/// </summary>
internal static class ConvolutionReference
{
    /// <summary>Computes (N, outH, outW, O) from (N, inH, inW, C) and weights (kH, kW, C/groups, O).</summary>
    /// <param name="geometry">The sizes.</param>
    /// <param name="input">NHWC.</param>
    /// <param name="weights">HWIO.</param>
    /// <param name="bias">(O), or none.</param>
    /// <param name="magnitudes">Receives sum |x*w| + |bias| of each output, the scale of its rounding error; may be empty.</param>
    /// <returns>The output before any activation.</returns>
    public static double[] Run(
        in ConvGeometry geometry, ReadOnlySpan<float> input, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias, Span<double> magnitudes)
    {
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        var groupChannels = geometry.InChannels / geometry.Groups;
        var groupFilters = geometry.OutChannels / geometry.Groups;
        var output = new double[checked((long)geometry.Batch * rows.Out * columns.Out * geometry.OutChannels)];
        var at = 0;
        for (var n = 0; n < geometry.Batch; n++)
        {
            for (var i = 0; i < rows.Out; i++)
            {
                for (var j = 0; j < columns.Out; j++)
                {
                    for (var o = 0; o < geometry.OutChannels; o++)
                    {
                        var sum = bias.IsEmpty ? 0.0 : bias[o];
                        var magnitude = Math.Abs(sum);
                        var firstChannel = o / groupFilters * groupChannels;
                        for (var u = 0; u < rows.Kernel; u++)
                        {
                            var y = (i * rows.Stride) - rows.PadBefore + (u * rows.Dilation);
                            if (y < 0 || y >= rows.In)
                                continue;
                            for (var v = 0; v < columns.Kernel; v++)
                            {
                                var x = (j * columns.Stride) - columns.PadBefore + (v * columns.Dilation);
                                if (x < 0 || x >= columns.In)
                                    continue;
                                for (var c = 0; c < groupChannels; c++)
                                {
                                    double a = input[((((n * rows.In) + y) * columns.In) + x) * geometry.InChannels + firstChannel + c];
                                    double w = weights[((((u * columns.Kernel) + v) * groupChannels) + c) * geometry.OutChannels + o];
                                    sum += a * w;
                                    magnitude += Math.Abs(a * w);
                                }
                            }
                        }

                        if (!magnitudes.IsEmpty)
                            magnitudes[at] = magnitude;
                        output[at++] = sum;
                    }
                }
            }
        }

        return output;
    }

    /// <summary>Both gradients of <see cref="Run"/> without a bias, from that of its output.</summary>
    /// <returns>As the input and as the weights; the magnitudes are the sums of the absolute values that were added.</returns>
    public static ConvolutionGradients Gradients(
        in ConvGeometry geometry, ReadOnlySpan<float> input, ReadOnlySpan<float> weights, ReadOnlySpan<float> outputGradient)
    {
        var (rows, columns) = (geometry.Rows, geometry.Columns);
        var groupChannels = geometry.InChannels / geometry.Groups;
        var groupFilters = geometry.OutChannels / geometry.Groups;
        var result = new ConvolutionGradients(
            new double[input.Length], new double[input.Length], new double[weights.Length], new double[weights.Length]);
        var at = 0;
        for (var n = 0; n < geometry.Batch; n++)
        {
            for (var i = 0; i < rows.Out; i++)
            {
                for (var j = 0; j < columns.Out; j++)
                {
                    for (var o = 0; o < geometry.OutChannels; o++)
                    {
                        double g = outputGradient[at++];
                        var (firstU, endU) = rows.Taps(i);
                        var (firstV, endV) = columns.Taps(j);
                        for (var u = firstU; u < endU; u++)
                        {
                            for (var v = firstV; v < endV; v++)
                            {
                                var y = rows.InputStart(i) + (u * rows.Dilation);
                                var x = columns.InputStart(j) + (v * columns.Dilation);
                                var pixel = ((((n * rows.In) + y) * columns.In) + x) * geometry.InChannels;
                                for (var c = 0; c < groupChannels; c++)
                                {
                                    var a = pixel + (o / groupFilters * groupChannels) + c;
                                    var w = ((((u * columns.Kernel) + v) * groupChannels) + c) * geometry.OutChannels + o;
                                    result.Input[a] += g * weights[w];
                                    result.InputMagnitudes[a] += Math.Abs(g * weights[w]);
                                    result.Weights[w] += g * input[a];
                                    result.WeightMagnitudes[w] += Math.Abs(g * input[a]);
                                }
                            }
                        }
                    }
                }
            }
        }

        return result;
    }
}

/// <summary>Gradients of a convolution in double precision, each with the scale of its rounding error.</summary>
internal readonly record struct ConvolutionGradients(
    double[] Input, double[] InputMagnitudes, double[] Weights, double[] WeightMagnitudes);
