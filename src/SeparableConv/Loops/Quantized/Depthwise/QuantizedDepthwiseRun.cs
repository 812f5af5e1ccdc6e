using System.Runtime.CompilerServices;

namespace SeparableConv.Loops;

/// <summary>A row of output pixels of two vectors of channels: what the depthwise sums are made of.</summary>
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

    /// <summary>[vector of two][kernel row][step][lane].</summary>
    public int* Weights;

    /// <summary>Where the second vector's weights begin.</summary>
    public nint HighWeights;

    /// <summary>[column], the columns of both vectors.</summary>
    public int* Bias;

    /// <summary>[pixel][column].</summary>
    public int* Sums;

    /// <summary>Computes the sums.</summary>
    public readonly void Sum<TSimd, TVec>()
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        for (var half = 0; half < 2; half++)
        {
            if (KernelRows == 3 && Steps == 2)
                Sum3x3<TSimd, TVec>(half);
            else
                SumAny<TSimd, TVec>(half);
        }
    }

    // Six products a pixel, their weights in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Sum3x3<TSimd, TVec>(int half)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var column = half * TSimd.Count;
        var row0 = Rows[0] + column;
        var row1 = Rows[1] + column;
        var row2 = Rows[2] + column;
        var sums = Sums + column;
        var end = sums + ((nint)Pixels * 2 * TSimd.Count);
        var (pixelStep, tapStep) = (PixelStep, TapStep);
        var bias = TSimd.Load(Bias + column);
        var weights = Weights + (half * HighWeights);
        var w00 = TSimd.Load(weights);
        var w01 = TSimd.Load(weights + TSimd.Count);
        var w10 = TSimd.Load(weights + (2 * TSimd.Count));
        var w11 = TSimd.Load(weights + (3 * TSimd.Count));
        var w20 = TSimd.Load(weights + (4 * TSimd.Count));
        var w21 = TSimd.Load(weights + (5 * TSimd.Count));
        for (; sums < end; sums += 2 * TSimd.Count)
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
    private readonly void SumAny<TSimd, TVec>(int half)
        where TSimd : struct, IIntegerSimd<TVec>
        where TVec : struct
    {
        var column = half * TSimd.Count;
        var bias = TSimd.Load(Bias + column);
        for (var pixel = 0; pixel < Pixels; pixel++)
        {
            var sum = bias;
            var weights = Weights + (half * HighWeights);
            for (var u = 0; u < KernelRows; u++)
            {
                var position = Rows[u] + (pixel * PixelStep) + column;
                for (var t = 0; t < Steps; t++, weights += TSimd.Count)
                {
                    sum = TSimd.MultiplyAddPairs(TSimd.Load(position), TSimd.Load(weights), sum);
                    position += TapStep;
                }
            }

            TSimd.Store(sum, Sums + ((nint)pixel * 2 * TSimd.Count) + column);
        }
    }
}
