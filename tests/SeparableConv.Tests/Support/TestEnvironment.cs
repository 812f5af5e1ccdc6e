using System.Runtime.CompilerServices;

namespace SeparableConv.Tests.Support;

/// <summary>The environment variables by which `.ci/run` has the suite run with fewer instructions.</summary>
internal static class TestEnvironment
{
    /// <summary>Whether tiles may be machine code: not where SEPCONV_MACHINE_CODE is 0.</summary>
    public static bool IsMachineCodeWanted { get; } = Environment.GetEnvironmentVariable("SEPCONV_MACHINE_CODE") != "0";

    /// <summary>Whether 512 bits may be used: not where DOTNET_EnableAVX512 is 0, which the runtime reads.</summary>
    public static bool IsAvx512Wanted { get; } = Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") != "0";

    /// <summary>Runs before anything else of the assembly: the library reads the switch once.</summary>
    [ModuleInitializer]
    internal static void Apply()
    {
        if (!IsMachineCodeWanted)
            AppContext.SetSwitch("SeparableConv.MachineCode", false);
    }
}
