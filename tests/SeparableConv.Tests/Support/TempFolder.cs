namespace SeparableConv.Tests.Support;

/// <summary>An empty folder that is removed at the end of the test.</summary>
internal sealed class TempFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sepconv-test-");

    public string Path => _folder.FullName;

    public string[] Names => [.. _folder.GetFiles().Select(file => file.Name).Order()];

    public string this[string name] => System.IO.Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
