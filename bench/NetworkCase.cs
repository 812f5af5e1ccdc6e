using SeparableConv.Networks;

namespace SeparableConv.Bench;

/// <summary>A network that is measured: from the builder, or a file of the shared test data.</summary>
/// <param name="Name">What it is called in tables.</param>
/// <param name="Create">Builds it; null for a file.</param>
/// <param name="File">The file's name.</param>
internal sealed record NetworkCase(string Name, Func<Network>? Create, string File = "")
{
    /// <summary>The list. A network that the builder makes is a line here.</summary>
    public static readonly NetworkCase[] All =
    [
        new("MobileNetV1_1.0_224", () => MobileNetV1.Create()),
        new("MobileNetV2_1.0_224", () => MobileNetV2.Create()),
        new("MobileNetV1_0.25_128", () => MobileNetV1.Create(0.25, 128)),
        new("DS-CNN_49x10", () => DsCnn.Create()),
        new("MobileNetV3_large_224", () => MobileNetV3.CreateLarge()),
        new("MobileNetV3_small_224", () => MobileNetV3.CreateSmall()),
        new("VWW_96", null, "vww_96_float.tflite"),
        new("ultraface_slim_320", null, "ultraface_slim_320.onnx"),
        new("Xception_1.0_299", () => Xception.Create()),
        new("VGG16_224", () => Vgg.Create(denseUnits: 0)),
        new("VGG11_0.5_64", () => Vgg.Create(11, 0.5, 64, 100, 0)),
        new("ResNet18_224", () => ResNet.Create()),
        new("ResNet8_32", () => ResNet.CreateTiny()),
    ];

    /// <summary>Those of the list that are quantized as well: the first ones.</summary>
    public static IEnumerable<NetworkCase> Quantized => All.Take(4);

    /// <summary>
    /// The list, or the file that --model names, an ONNX or TensorFlow Lite one, in its place.
    /// </summary>
    public static NetworkCase[] Of(string[] args) =>
        SuiteOptions.Value(args, "--model") is { } file ? [new(Path.GetFileName(file), null, Path.GetFullPath(file))] : All;

    /// <summary>Builds it, with normalizations as a training leaves them.</summary>
    public Network Build() => BatchStatistics.Randomize(Create!());

    /// <summary>It as an ONNX file, its pictures channels first; null where the shared test data are not there.</summary>
    public NetworkFile? ToFile() => Create is null ? NetworkFile.Of(File) : NetworkFile.Of(Build());

    /// <summary>The rows of a table, one a number of threads, as far as they are wanted.</summary>
    public static (int Threads, string Name)[] Rows(string name, SuiteOptions options) =>
    [
        .. options.Threads.Select(threads => (Threads: threads, Name: $"{name}, {threads} thread{(threads > 1 ? "s" : "")}"))
            .Where(row => options.Wants(row.Name)),
    ];
}
