namespace SeparableConv.Loops;

/// <summary>Some rows and some vectors of channels of one image: what one thread computes at a time. Strides are in floats.</summary>
internal unsafe struct DepthwiseBlock
{
    public float* Image;

    /// <summary>Where the rows of the image lie.</summary>
    public RowRing Ring;

    /// <summary>The first pixel of row <see cref="FirstRow"/>.</summary>
    public float* Output;

    public nint OutputPixelStride;
    public int FirstRow;
    public int EndRow;

    /// <summary>C, channels of the input.</summary>
    public int InChannels;

    /// <summary>Channels of the output.</summary>
    public int OutChannels;

    /// <summary>M, where output channel c*M+m reads channel c; 0 where <see cref="Map"/> says what it reads.</summary>
    public int Multiplier;

    /// <summary>For each output channel the input channel that it reads.</summary>
    public int* Map;

    /// <summary>What each vector reads; null where output channels read their own input channels, or rows are spread.</summary>
    public DepthwiseSource* Sources;

    /// <summary>[vector][lane]: see <see cref="DepthwiseSources.Lanes"/>.</summary>
    public float* Lanes;

    /// <summary>Pixels that share a vector where a pixel has fewer channels than lanes.</summary>
    public int PixelsTogether;

    public int FirstVector;
    public int EndVector;

    /// <summary>[vector][tap][lane].</summary>
    public float* Weights;

    /// <summary>[vector][lane].</summary>
    public float* Bias;

    public float Lower;
    public float Upper;

    /// <summary>The first pixel of an input row.</summary>
    public readonly float* InputRow(int row, int columns) => Image + ((nint)Ring.Slot(row) * columns * InChannels);

    /// <summary>The first pixel of an output row.</summary>
    public readonly float* OutputRow(int row, int columns) => Output + ((nint)(row - FirstRow) * columns * OutputPixelStride);

    /// <summary>Applies an activation that is more than two bounds to finished rows, while they are in the cache.</summary>
    public readonly void Activate(Activation activation, float* row, nint pixels, SimdWidth width)
    {
        if (activation.IsClamp)
            return;
        var first = FirstVector * (int)width;
        var end = Math.Min(EndVector * (int)width, OutChannels);
        activation.ApplyRows(row + first, pixels, end - first, OutputPixelStride, first, width);
    }
}
