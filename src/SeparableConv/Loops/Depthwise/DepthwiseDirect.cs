namespace SeparableConv.Loops;

/// <summary>
/// Depthwise convolution of any kernel, stride and dilation that reads the image in place. It lists the taps of each run of output pixels
/// for <see cref="DepthwiseTaps"/>. The image has at least a vector of channels.
/// </summary>
internal static unsafe class DepthwiseDirect
{
    public static void Run<TSimd, TVec>(in DepthwiseBlock block, in ConvGeometry g, Activation activation, SimdWidth width)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        var kernelTaps = g.Rows.Kernel * g.Columns.Kernel;
        var scratch = Scratch.Bytes((nint)kernelTaps * (sizeof(float*) + sizeof(int)));
        var run = new DepthwiseRun
        {
            Inputs = (float**)scratch,
            Numbers = (int*)(scratch + ((nint)kernelTaps * sizeof(float*))),
            KernelTaps = kernelTaps,
            InputStep = (nint)g.Columns.Stride * block.InChannels,
            OutputStep = block.OutputPixelStride,
            Weights = block.Weights,
            Bias = block.Bias,
            Sources = block.Sources,
            Lanes = block.Lanes,
            FirstVector = block.FirstVector,
            EndVector = block.EndVector,
            Channels = block.OutChannels,
            Lower = block.Lower,
            Upper = block.Upper,
        };
        for (var row = block.FirstRow; row < block.EndRow; row++)
        {
            var output = block.OutputRow(row, g.Columns.Out);
            for (var column = 0; column < g.Columns.Out; column += run.Pixels)
            {
                // Inside, all columns have the same taps; in the border each has its own.
                var interior = column >= g.Columns.InteriorStart && column < g.Columns.InteriorEnd;
                run.Pixels = interior ? g.Columns.InteriorEnd - column : 1;
                run.Output = output + (column * block.OutputPixelStride);
                ListTaps(ref run, block, g, row, column);
                RunTaps<TSimd, TVec>(run);
            }

            block.Activate(activation, output, g.Columns.Out, width);
        }
    }

    private static void RunTaps<TSimd, TVec>(in DepthwiseRun run)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct
    {
        if (run.Sources is null)
        {
            DepthwiseTaps.Run<TSimd, TVec, ReadsItsOwn>(run);
            return;
        }

        var alike = run;
        for (; alike.FirstVector < run.EndVector; alike.FirstVector = alike.EndVector)
        {
            alike.EndVector = DepthwiseSources.EndOfAlike(run.Sources, alike.FirstVector, run.EndVector);
            switch (run.Sources[alike.FirstVector].Reads)
            {
                case DepthwiseReads.One:
                    DepthwiseTaps.Run<TSimd, TVec, ReadsOne>(alike);
                    break;
                case DepthwiseReads.Two:
                    DepthwiseTaps.Run<TSimd, TVec, ReadsTwo>(alike);
                    break;
                default:
                    DepthwiseTaps.Run<TSimd, TVec, ReadsEach>(alike);
                    break;
            }
        }
    }

    private static void ListTaps(ref DepthwiseRun run, in DepthwiseBlock block, in ConvGeometry g, int row, int column)
    {
        var (firstY, endY) = g.Rows.Taps(row);
        var (firstX, endX) = g.Columns.Taps(column);
        run.Taps = 0;
        for (var y = firstY; y < endY; y++)
        {
            var input = block.InputRow(g.Rows.InputStart(row) + (y * g.Rows.Dilation), g.Columns.In);
            for (var x = firstX; x < endX; x++)
            {
                var inX = g.Columns.InputStart(column) + (x * g.Columns.Dilation);
                run.Inputs[run.Taps] = input + ((nint)inX * block.InChannels);
                run.Numbers[run.Taps++] = (y * g.Columns.Kernel) + x;
            }
        }
    }
}
