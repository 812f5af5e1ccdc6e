namespace SeparableConv.Loops;

/// <summary>
/// Depthwise convolution of 3x3 and 5x5 kernels with stride 1 or 2. It cuts a block into pairs of output rows and runs of columns, and
/// calls <see cref="DepthwiseSlideLoop"/> on each.
/// </summary>
internal static unsafe class DepthwiseSlide
{
    /// <summary>Whether the kernel, stride and dilation are among those that have a loop of their own.</summary>
    public static bool Handles(in ConvGeometry g) => g.Rows is { Kernel: 3 or 5, Stride: 1 or 2, Dilation: 1 }
        && g.Columns.Kernel == g.Rows.Kernel && g.Columns.Stride == g.Rows.Stride && g.Columns.Dilation == 1;

    /// <summary>Computes a block; rows outside the image read <paramref name="zeros"/>, a row as long as the image's.</summary>
    public static void Run<TSimd, TVec>(in DepthwiseBlock block, in ConvGeometry g, float* zeros, Activation activation, SimdWidth width)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var rows = stackalloc float*[DepthwiseStrip.MaxRows];
        var strip = new DepthwiseStrip
        {
            Rows = rows,
            PixelStride = block.InChannels,
            OutPixelStride = block.OutputPixelStride,
            Weights = block.Weights,
            Bias = block.Bias,
            Sources = block.Sources,
            Lanes = block.Lanes,
            FirstVector = block.FirstVector,
            EndVector = block.EndVector,
            Channels = block.OutChannels,
            InColumns = g.Columns.In,
            PadBefore = g.Columns.PadBefore,
            Lower = block.Lower,
            Upper = block.Upper,
        };
        var stride = g.Columns.Stride;
        var lead = (g.Columns.Kernel - 1) / stride;
        var steps = g.Columns.Out + lead;
        var run = DepthwiseParts.StreamsRows(g)
            ? Math.Max(2, DepthwiseParts.RunBytes / (stride * block.InChannels * sizeof(float)))
            : steps;
        strip.VectorState = 2 * lead * TSimd.Count;
        strip.State = Scratch.Floats((block.EndVector - block.FirstVector) * strip.VectorState);
        for (var row = block.FirstRow; row < block.EndRow; row += 2)
        {
            var start = g.Rows.InputStart(row);
            for (var i = 0; i < g.Rows.Kernel + g.Rows.Stride; i++)
            {
                var inside = (uint)(start + i) < (uint)g.Rows.In;
                rows[i] = inside ? block.InputRow(start + i, g.Columns.In) : zeros;
            }

            var output = block.OutputRow(row, g.Columns.Out);
            var two = row + 1 < block.EndRow;
            for (var step = 0; step < steps; step += run)
            {
                var column = Math.Max(0, g.Columns.InputStart(step) - (stride - 1));
                var pixel = Math.Max(0, step - lead);
                strip.FirstStep = step;
                strip.EndStep = Math.Min(step + run, steps);
                strip.Offset = (nint)column * block.InChannels;
                strip.Resume = step > 0;
                strip.Suspend = strip.EndStep < steps;
                strip.OutA = output + (pixel * block.OutputPixelStride);
                strip.OutB = strip.OutA + (g.Columns.Out * block.OutputPixelStride);
                RunSteps<TSimd, TVec>(strip, g, two, activation);
            }

            if (!activation.IsInRegisters)
                block.Activate(activation, output, (two ? 2 : 1) * (nint)g.Columns.Out, width);
        }
    }

    private static void RunSteps<TSimd, TVec>(in DepthwiseStrip strip, in ConvGeometry g, bool two, Activation activation)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var bounded = activation.IsClamp && !activation.IsNone;
        switch (two)
        {
            case true when bounded:
                RunPair<TSimd, TVec, TwoRowsClamped>(strip, g);
                break;
            case true when activation.IsHardSwish:
                RunPair<TSimd, TVec, TwoRowsSwish>(strip, g);
                break;
            case true:
                RunPair<TSimd, TVec, TwoRowsFree>(strip, g);
                break;
            case false when bounded:
                RunPair<TSimd, TVec, OneRowClamped>(strip, g);
                break;
            case false when activation.IsHardSwish:
                RunPair<TSimd, TVec, OneRowSwish>(strip, g);
                break;
            default:
                RunPair<TSimd, TVec, OneRowFree>(strip, g);
                break;
        }
    }

    private static void RunPair<TSimd, TVec, TOptions>(in DepthwiseStrip strip, in ConvGeometry g)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOptions : struct, IDepthwiseOptions
    {
        if (strip.Sources is null)
        {
            RunAlike<TSimd, TVec, TOptions, ReadsItsOwn>(strip, g);
            return;
        }

        var alike = strip;
        for (; alike.FirstVector < strip.EndVector; alike.FirstVector = alike.EndVector)
        {
            alike.EndVector = DepthwiseSources.EndOfAlike(strip.Sources, alike.FirstVector, strip.EndVector);
            alike.State = strip.State + ((alike.FirstVector - strip.FirstVector) * strip.VectorState);
            switch (strip.Sources[alike.FirstVector].Reads)
            {
                case DepthwiseReads.One:
                    RunAlike<TSimd, TVec, TOptions, ReadsOne>(alike, g);
                    break;
                case DepthwiseReads.Two:
                    RunAlike<TSimd, TVec, TOptions, ReadsTwo>(alike, g);
                    break;
                default:
                    RunAlike<TSimd, TVec, TOptions, ReadsEach>(alike, g);
                    break;
            }
        }
    }

    private static void RunAlike<TSimd, TVec, TOptions, TReads>(in DepthwiseStrip strip, in ConvGeometry g)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
        where TOptions : struct, IDepthwiseOptions
        where TReads : struct, IDepthwiseReads
    {
        switch (g.Rows.Kernel, g.Rows.Stride)
        {
            case (3, 1):
                DepthwiseSlideLoop.Run<TSimd, TVec, TOptions, TReads, Constant.Is3, Constant.Is1>(strip);
                break;
            case (3, 2):
                DepthwiseSlideLoop.Run<TSimd, TVec, TOptions, TReads, Constant.Is3, Constant.Is2>(strip);
                break;
            case (5, 1):
                DepthwiseSlideLoop.Run<TSimd, TVec, TOptions, TReads, Constant.Is5, Constant.Is1>(strip);
                break;
            default:
                DepthwiseSlideLoop.Run<TSimd, TVec, TOptions, TReads, Constant.Is5, Constant.Is2>(strip);
                break;
        }
    }
}
