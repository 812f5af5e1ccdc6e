using System.Globalization;

namespace SeparableConv.Separation;

/// <summary>The canonical text of a named kernel, which <see cref="KernelParser"/> reads back to the same kernel.</summary>
internal static class KernelName
{
    // A null parameter and all behind it were left to their defaults.
    public static string Of(string name, params ReadOnlySpan<double?> parameters)
    {
        foreach (var parameter in parameters)
        {
            if (parameter is null)
                break;
            name += ":" + parameter.Value.ToString("R", CultureInfo.InvariantCulture);
        }

        return name;
    }
}
