using OpenCvSharp;

namespace SeparableConv.Bench;

/// <summary>OpenCV in this process, on a picture that both sides read. It writes to a picture of its own, allocated once.</summary>
/// <typeparam name="T">The elements of the pictures.</typeparam>
internal sealed class OpenCvPeer<T> : IDisposable
    where T : unmanaged
{
    private readonly Mat _input;
    private readonly Mat _output;

    /// <summary>Shows a pinned picture to OpenCV, which does not copy it.</summary>
    public unsafe OpenCvPeer(ReadOnlySpan<T> pinned, ImageShape shape)
    {
        var depth = shape.Type switch { ElementType.UInt8 => MatType.CV_8U, ElementType.UInt16 => MatType.CV_16U, _ => MatType.CV_32F };
        var type = MatType.MakeType(depth, shape.Channels);
        fixed (T* pixels = pinned)
            _input = Mat.FromPixelData(shape.Height, shape.Width, type, (nint)pixels);
        _output = new Mat(shape.Height, shape.Width, type);
    }

    /// <summary>What it wrote last.</summary>
    public unsafe ReadOnlySpan<T> Output => new((void*)_output.Data, checked((int)(_output.Total() * _output.Channels())));

    /// <summary>The quickest of the operations, by the least of three samples of each.</summary>
    public OpenCvOperation Quickest(IReadOnlyList<OpenCvOperation> operations, int threads) => operations.Count == 1
        ? operations[0]
        : operations.MinBy(operation => Enumerable.Range(0, 4).Select(_ => Time(operation, threads, 1)).Min())!;

    /// <summary>One sample, as <see cref="SideBySide.Time"/> takes it.</summary>
    public double Time(OpenCvOperation operation, int threads, int repeat)
    {
        Cv2.SetNumThreads(threads);
        return SideBySide.Time(() => operation.Run(_input, _output), repeat);
    }

    public void Dispose()
    {
        _input.Dispose();
        _output.Dispose();
    }
}

/// <summary>One of OpenCV's filters and its name.</summary>
/// <param name="Name">The function, and the size of the kernel.</param>
/// <param name="Run">Filters a picture into another.</param>
internal sealed record OpenCvOperation(string Name, Action<Mat, Mat> Run)
{
    public static OpenCvOperation Gaussian(int size, double sigma) =>
        new($"GaussianBlur{size}", (input, output) => Cv2.GaussianBlur(input, output, new Size(size, size), sigma));

    public static OpenCvOperation Separable(double[] factor)
    {
        var taps = Mat.FromArray(factor);
        return new($"sepFilter2D{factor.Length}", (input, output) => Cv2.SepFilter2D(input, output, -1, taps, taps));
    }

    public static OpenCvOperation Dense(double[] values, int size)
    {
        var taps = new Mat(size, size, MatType.CV_32FC1);
        taps.SetArray(Array.ConvertAll(values, v => (float)v));
        return new($"filter2D{size}", (input, output) => Cv2.Filter2D(input, output, -1, taps));
    }

    public static OpenCvOperation Sobel() => new("Sobel3", (input, output) => Cv2.Sobel(input, output, -1, 1, 0));
}
