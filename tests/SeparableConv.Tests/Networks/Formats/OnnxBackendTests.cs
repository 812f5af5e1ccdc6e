using SeparableConv.Networks;
using Xunit;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>ONNX's own backend tests, all that lie in the shared data.</summary>
public class OnnxBackendTests(ITestOutputHelper log)
{
    private const int Passing = 0;

    // What the reader must refuse, and the words that say why.
    private static readonly Dictionary<string, string> Refused = new()
    {
    };

    [Fact]
    public void Every_test_passes_or_is_refused_for_the_reason_that_is_listed()
    {
        var (passed, wrong) = (0, new List<string>());
        foreach (var folder in OnnxBackend.Folders())
        {
            var reason = Refused.GetValueOrDefault(folder);
            try
            {
                var difference = OnnxBackend.Run(folder);
                if (difference is not null)
                    wrong.Add($"{folder}: {difference}");
                else if (reason is not null)
                    wrong.Add($"{folder} passes, but is listed as refused");
                else
                    passed++;
            }
            catch (NetworkException e)
            {
                if (reason is null || !e.Message.Contains(reason, StringComparison.Ordinal) || e.Message.Contains('\n'))
                    wrong.Add($"{folder}: {e.Message}");
            }
            catch (Exception e) when (e is not Xunit.Sdk.SkipException)
            {
                wrong.Add($"{folder}: {e}");
            }
        }

        log.WriteLine($"{passed} passed, {Refused.Count} refused");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.Equal(Passing, passed);
    }

    [Fact]
    public void Networks_that_are_written_and_read_again_give_the_same()
    {
        var (passed, wrong) = (0, new List<string>());
        foreach (var folder in OnnxBackend.Folders().Where(folder => !Refused.ContainsKey(folder)))
        {
            try
            {
                if (OnnxBackend.Run(folder, roundTrip: true) is { } difference)
                    wrong.Add($"{folder}: {difference}");
                else
                    passed++;
            }
            catch (NetworkException e)
            {
                wrong.Add($"{folder}: {e.Message}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.Equal(Passing, passed);
    }
}
