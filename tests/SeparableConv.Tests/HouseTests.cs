using System.Text.RegularExpressions;
using System.Xml.Linq;
using SeparableConv.Tests.Readme;

namespace SeparableConv.Tests;

/// <summary>Checks rules of docs/architecture.md that no compiler checks: namespaces, references, vectors, folders of tests.</summary>
public sealed partial class HouseTests
{
    // The projects that each may use.
    private static readonly Dictionary<string, string[]> References = new()
    {
        ["SeparableConv"] = [],
        ["SeparableConv.Imaging"] = ["SeparableConv"],
        ["SeparableConv.Networks"] = ["SeparableConv", "SeparableConv.Imaging"],
        ["SeparableConv.Training"] = ["SeparableConv", "SeparableConv.Imaging", "SeparableConv.Networks"],
        ["SeparableConv.Cli"] = ["SeparableConv", "SeparableConv.Imaging", "SeparableConv.Networks", "SeparableConv.Training"],
    };

    // Vectors are for loops, for the activations that loops apply to finished rows, and for PNG's row filters. MachineInfo asks for the
    // processor's name.
    private static readonly string[] VectorRooms =
    [
        "src/SeparableConv/Loops/",
        "src/SeparableConv/Activations/",
        "src/SeparableConv.Imaging/Png/",
        "src/SeparableConv/MachineInfo.cs",
    ];

    // Folders of tests that stand for no folder of the sources.
    private static readonly string[] TestRooms = ["Support", "Golden", "Fuzz", "Readme"];

    [Fact]
    public void Public_types_stand_in_the_project_s_namespace_and_internal_ones_in_their_room_s()
    {
        var wrong = new List<string>();
        foreach (var file in Sources())
        {
            var code = File.ReadAllText(Path.Combine(ReadmeTests.Root, file));
            var actual = Namespace().Match(code).Groups[1].Value;
            foreach (Match type in TypeDeclaration().Matches(code))
            {
                var isPublic = type.Groups["modifiers"].Value.Contains("public", StringComparison.Ordinal);
                var expected = isPublic ? Project(file) : Room(file);
                if (actual != expected)
                    wrong.Add(
                        $"{file}: the {(isPublic ? "public" : "internal")} type {type.Groups["name"]} stands in '{actual}'; put it into "
                        + $"{expected}.");
            }
        }

        Check(wrong);
    }

    [Fact]
    public void Projects_use_only_what_they_may()
    {
        var wrong = new List<string>();
        foreach (var path in Directory.GetFiles(Path.Combine(ReadmeTests.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (!References.TryGetValue(name, out var allowed))
            {
                wrong.Add($"{name}: the project is new; say here and in docs/architecture.md what it may use.");
                continue;
            }

            var used = XDocument.Load(path).Descendants("ProjectReference").Select(e => e.Attribute("Include")!.Value);
            foreach (var other in used.Select(Path.GetFileNameWithoutExtension).Except(allowed))
                wrong.Add($"{name}.csproj: it refers to {other}; it may use {string.Join(", ", allowed)}. Remove the reference.");
        }

        Check(wrong);
    }

    [Fact]
    public void Only_the_rooms_of_vectors_name_them() => Check(Sources()
        .Where(file => !VectorRooms.Any(room => file.StartsWith(room, StringComparison.Ordinal)))
        .Where(
            file => File.ReadAllText(Path.Combine(ReadmeTests.Root, file)).Contains("System.Runtime.Intrinsics", StringComparison.Ordinal))
        .Select(
            file =>
                $"{file}: it uses System.Runtime.Intrinsics; move the loop to src/SeparableConv/Loops, or write it with "
                + "TensorPrimitives."));

    [Fact]
    public void Folders_of_tests_are_those_of_the_sources()
    {
        var wrong = new List<string>();
        var tests = Path.Combine(ReadmeTests.Root, "tests", "SeparableConv.Tests");
        foreach (var folder in Directory.GetDirectories(tests, "*", SearchOption.AllDirectories))
        {
            var parts = Path.GetRelativePath(tests, folder).Split(Path.DirectorySeparatorChar);
            if (parts[0] is "bin" or "obj" || parts.Any(TestRooms.Contains))
                continue;

            // A room of the core, or the name of another project and a room of it.
            var other = "SeparableConv." + parts[0];
            string[] source = References.ContainsKey(other) ? ["src", other, .. parts[1..]] : ["src", "SeparableConv", .. parts];
            if (!Directory.Exists(Path.Combine([ReadmeTests.Root, .. source])))
                wrong.Add(
                    $"tests/SeparableConv.Tests/{string.Join('/', parts)}: there is no {string.Join('/', source)}; move the tests to the "
                    + "folder of what they test.");
        }

        Check(wrong);
    }

    private static void Check(IEnumerable<string> wrong) => Assert.True(!wrong.Any(), string.Join('\n', wrong));

    // Relative to the repository, with slashes.
    private static IEnumerable<string> Sources() =>
        Directory.GetFiles(Path.Combine(ReadmeTests.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(ReadmeTests.Root, path).Replace('\\', '/'))
            .Where(path => path.Split('/')[2] is not ("bin" or "obj"));

    private static string Project(string file) => file.Split('/')[1];

    // The first folder of the project; of Formats, which has a room a format, the second too.
    private static string Room(string file)
    {
        var parts = file.Split('/')[1..^1];
        return string.Join('.', parts.Take(parts.Length > 1 && parts[1] == "Formats" ? 3 : 2));
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    // Of the file's outermost types, which are not indented.
    [GeneratedRegex(
        @"^(?<modifiers>(?:(?:public|internal|file|static|sealed|abstract|readonly|ref|unsafe|partial) )*)"
        + @"(?:class|struct|interface|enum|record(?: struct| class)?|delegate \S+) (?<name>\w+)",
        RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();
}
