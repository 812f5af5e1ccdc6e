using System.Runtime.CompilerServices;

namespace SeparableConv.Kernels;

/// <summary>A row of output pixels of one vector of channels: what the depthwise sums are made of.</summary>
internal unsafe struct QuantizedDepthwiseRun
{
    /// <summary>The paired input row of each kernel row; a row of zeros in the border.</summary>
    public int** Rows;

    public int KernelRows;

    /// <summary>Multiplications of pairs in a kernel row.</summary>
    public int Steps;

    /// <summary>Integers from an output pixel's first position to the next pixel's.</summary>
    public nint PixelStep;

    /// <summary>Integers from one step's position to the next step's.</summary>
    public nint TapStep;

    public int Pixels;

    /// <summary>[kernel row][step][lane].</summary>
    public int* Weights;

    public int* Bias;

    /// <summary>[pixel][lane].</summary>
    public int* Sums;

    /// <summary>Computes the sums.</summary>
    public readonly void Sum<TSimd, TVec>()
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        if (KernelRows == 3 && Steps == 2)
            Sum3x3<TSimd, TVec>();
        else
            SumAny<TSimd, TVec>();
    }

    // Six products a pixel, their weights in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Sum3x3<TSimd, TVec>()
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var row0 = Rows[0];
        var row1 = Rows[1];
        var row2 = Rows[2];
        var sums = Sums;
        var end = sums + ((nint)Pixels * TSimd.Count);
        var (pixelStep, tapStep) = (PixelStep, TapStep);
        var bias = TSimd.Load(Bias);
        var w00 = TSimd.Load(Weights);
        var w01 = TSimd.Load(Weights + TSimd.Count);
        var w10 = TSimd.Load(Weights + (2 * TSimd.Count));
        var w11 = TSimd.Load(Weights + (3 * TSimd.Count));
        var w20 = TSimd.Load(Weights + (4 * TSimd.Count));
        var w21 = TSimd.Load(Weights + (5 * TSimd.Count));
        for (; sums < end; sums += TSimd.Count)
        {
            var sum = TSimd.MultiplyAddPairs(TSimd.Load(row0), w00, bias);
            sum = TSimd.MultiplyAddPairs(TSimd.Load(row0 + tapStep), w01, sum);
            sum = TSimd.MultiplyAddPairs(TSimd.Load(row1), w10, sum);
            sum = TSimd.MultiplyAddPairs(TSimd.Load(row1 + tapStep), w11, sum);
            sum = TSimd.MultiplyAddPairs(TSimd.Load(row2), w20, sum);
            sum = TSimd.MultiplyAddPairs(TSimd.Load(row2 + tapStep), w21, sum);
            TSimd.Store(sum, sums);
            row0 += pixelStep;
            row1 += pixelStep;
            row2 += pixelStep;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void SumAny<TSimd, TVec>()
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var bias = TSimd.Load(Bias);
        for (var pixel = 0; pixel < Pixels; pixel++)
        {
            var sum = bias;
            var weights = Weights;
            for (var u = 0; u < KernelRows; u++)
            {
                var position = Rows[u] + (pixel * PixelStep);
                for (var t = 0; t < Steps; t++, weights += TSimd.Count)
                {
                    sum = TSimd.MultiplyAddPairs(TSimd.Load(position), TSimd.Load(weights), sum);
                    position += TapStep;
                }
            }

            TSimd.Store(sum, Sums + ((nint)pixel * TSimd.Count));
        }
    }
}
