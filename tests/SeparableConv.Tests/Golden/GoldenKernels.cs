using System.Text.Json;

namespace SeparableConv.Tests.Golden;

// kernels.json, which make_kernels.py made with OpenCV, SciPy and NumPy.
internal static class GoldenKernels
{
    private static readonly JsonElement Root =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "kernels.json"))).RootElement;

    public static IEnumerable<JsonElement> Kernels => Root.GetProperty("kernels").EnumerateArray();

    public static IEnumerable<JsonElement> Decompositions => Root.GetProperty("svds").EnumerateArray();

    public static FilterKernel Matrix(JsonElement rows, string? name = null)
    {
        var height = rows.GetArrayLength();
        double[] values = [.. rows.EnumerateArray().SelectMany(row => Numbers(row))];
        return new FilterKernel(values.AsSpan(), height, values.Length / height, name: name);
    }

    public static double[] Numbers(JsonElement row) => [.. row.EnumerateArray().Select(v => v.GetDouble())];
}
