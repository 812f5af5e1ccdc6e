using System.Text.Json;

namespace SeparableConv.Tests.Golden;

// kernels.json, which make_kernels.py made with OpenCV, SciPy and NumPy.
internal static class GoldenKernels
{
    private static readonly JsonElement Root = GoldenFile.Read("kernels.json");

    public static IEnumerable<JsonElement> Kernels => Root.GetProperty("kernels").EnumerateArray();

    public static IEnumerable<JsonElement> Decompositions => Root.GetProperty("svds").EnumerateArray();

    public static FilterKernel Matrix(JsonElement rows, string? name = null)
    {
        var height = rows.GetArrayLength();
        double[] values = [.. rows.EnumerateArray().SelectMany(row => row.Numbers())];
        return new FilterKernel(values.AsSpan(), height, values.Length / height, name: name);
    }
}
