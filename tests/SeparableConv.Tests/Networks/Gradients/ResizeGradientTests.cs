using SeparableConv.Tests.Networks.Operators;

namespace SeparableConv.Tests.Networks.Gradients;

/// <summary>Gradients of resizes: the forward sums transposed.</summary>
public sealed class ResizeGradientTests
{
    private static readonly (int[] Shape, int Height, int Width)[] Sizes =
    [
        ([1, 1, 1, 1], 1, 1), ([1, 1, 1, 2], 3, 4), ([2, 3, 2, 3], 6, 4), ([1, 7, 5, 2], 3, 2), ([1, 4, 5, 1], 1, 1), ([1, 3, 4, 2], 5, 3),
        ([0, 3, 4, 2], 5, 3), ([2, 5, 6, 17], 9, 11), ([2, 30, 20, 9], 61, 37), ([2, 40, 50, 9], 17, 13),
    ];

    public static TheoryData<string> Coordinates => [.. Enum.GetNames<CoordinateMode>()];

    [Theory]
    [MemberData(nameof(Coordinates))]
    public void Nearest_has_the_gradient_of_central_differences(string name)
    {
        var coordinates = Enum.Parse<CoordinateMode>(name);
        foreach (var (shape, height, width) in Sizes)
        {
            foreach (var rounding in Enum.GetValues<NearestRounding>())
            {
                var op = new ResizeOperator(ResizeMode.Nearest, height, width, null, null, coordinates, rounding);
                GradientCheck.Run(op, [OperatorRun.Floats(1, shape)]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Coordinates))]
    public void Weighted_means_have_the_gradient_of_central_differences(string name)
    {
        ResizeKernel[] kernels =
        [
            new(ResizeMode.Linear), new(ResizeMode.Linear, Antialias: true), new(ResizeMode.Linear, true, true), new(ResizeMode.Cubic),
            new(ResizeMode.Cubic, ExcludeOutside: true), new(ResizeMode.Cubic, true, true, -0.5f),
        ];
        var coordinates = Enum.Parse<CoordinateMode>(name);
        foreach (var (shape, height, width) in Sizes)
        {
            foreach (var kernel in kernels)
            {
                float? scaleHeight = kernel.Antialias ? (float)height / shape[1] : null;
                var (rows, columns) = (
                    new ResizeAxis(shape[1], height, scaleHeight, coordinates), new ResizeAxis(shape[2], width, null, coordinates));
                GradientCheck.Run(
                    new ResizeOperator(kernel.Mode, height, width, scaleHeight, null, coordinates, kernel: kernel),
                    [OperatorRun.Floats(1, shape)],
                    x => [Weighted(x[0], shape, rows.Weighted(kernel), columns.Weighted(kernel))]);
            }
        }
    }

    // From the weights of the forward resize, one output pixel at a time.
    private static double[] Weighted(double[] x, int[] shape, ResizeTaps rows, ResizeTaps columns)
    {
        var (height, width, channels) = (shape[1], shape[2], shape[3]);
        var (down, across) = (rows.Weights(), columns.Weights());
        var y = new List<double>();
        for (var n = 0; n < shape[0]; n++)
        {
            for (var i = 0; i < rows.First.Length; i++)
            {
                for (var j = 0; j < columns.First.Length; j++)
                {
                    for (var c = 0; c < channels; c++)
                        y.Add(Pixel(n, i, j, c));
                }
            }
        }

        return [.. y];

        double Pixel(int n, int i, int j, int c)
        {
            var sum = 0.0;
            for (var u = rows.Begin[i]; u < rows.Begin[i + 1]; u++)
            {
                for (var v = columns.Begin[j]; v < columns.Begin[j + 1]; v++)
                {
                    var (row, column) = (rows.First[i] + (u - rows.Begin[i]), columns.First[j] + (v - columns.Begin[j]));
                    sum += down[u] * across[v] * x[(((((n * height) + row) * width) + column) * channels) + c];
                }
            }

            return sum;
        }
    }
}
