using System.Globalization;
using System.Security;
using System.Text;

namespace SeparableConv.Bench;

/// <summary>
/// A picture of a run: a lane a thread, a rectangle a part in the colour of its step's kind. Pale is what the caller does in no loop;
/// where a lane is blank, its thread waits.
/// </summary>
internal sealed class TraceDrawing
{
    private const double Left = 80;
    private const double Width = 1700;
    private const double StepsTop = 230;
    private const double StepsHeight = 16;
    private const double LaneTop = StepsTop + StepsHeight + 8;
    private const double LaneHeight = 70;
    private const double LaneGap = 8;
    private const int MostLabels = 24;
    private const double LeastLabelDistance = 13;

    private static readonly string[] Palette =
        ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22", "#5b6770"];

    private readonly StringBuilder _svg = new();
    private readonly TracedRun _run;
    private readonly string _title;
    private readonly (string Kind, double Time)[] _kinds;

    private TraceDrawing(TracedRun run, string title)
    {
        (_run, _title) = (run, title);
        _kinds = [.. run.Steps.Select((step, i) => (step.Kind, Time: run.LengthOf(i)))
            .GroupBy(step => step.Kind)
            .Select(kind => (kind.Key, kind.Sum(step => step.Time)))
            .OrderByDescending(kind => kind.Item2)];
    }

    private double Bottom => LaneTop + (_run.Threads.Length * (LaneHeight + LaneGap));

    public static void Save(TracedRun run, string title, string path) => File.WriteAllText(path, new TraceDrawing(run, title).Draw());

    private string Draw()
    {
        var rows = (_kinds.Length + 4) / 5;
        var (width, height) = (Left + Width + 120, Bottom + 50 + (20 * rows));
        Add($"<svg xmlns='http://www.w3.org/2000/svg' width='{width:F0}' height='{height:F0}' font-family='sans-serif' font-size='11'>");
        Add($"<rect width='100%' height='100%' fill='white'/>");
        var busy = _run.Threads.Select(thread => Text($"{thread.Name} at work {100 * thread.BusyIn(0, _run.Total) / _run.Total:F1} %"));
        Add($"<text x='{Left}' y='24' font-size='16'>{Escaped(_title)}: {_run.Total:F1} µs; {Escaped(string.Join(", ", busy))}</text>");
        for (var i = 0; i < _run.Threads.Length; i++)
            DrawLane(_run.Threads[i], LaneTop + (i * (LaneHeight + LaneGap)));
        DrawSteps();
        DrawLabels();
        DrawAxis();
        DrawLegend();
        Add($"</svg>");
        return _svg.ToString();
    }

    private void DrawLane(TracedThread thread, double top)
    {
        Add($"<text x='{Left - 8}' y='{top + (LaneHeight / 2) + 4}' text-anchor='end'>{Escaped(thread.Name)}</text>");
        Add($"<rect x='{Left}' y='{top}' width='{Width}' height='{LaneHeight}' fill='#f3f3f3'/>");
        foreach (var alone in thread.Alone)
        {
            for (var step = _run.StepAt(alone.Start); step < _run.Steps.Count && _run.StartOf(step) < alone.End; step++)
            {
                var cut = new TracedInterval(Math.Max(alone.Start, _run.StartOf(step)), Math.Min(alone.End, _run.Ends[step]));
                DrawInterval(cut, step, top, "fill-opacity='.35'", "in no loop");
            }
        }

        foreach (var part in thread.Parts)
            DrawInterval(part, _run.StepAt(part.Start), top, "stroke='white' stroke-width='.4'", "part");
    }

    private void DrawInterval(TracedInterval interval, int step, double top, string style, string what)
    {
        Add($"<rect x='{X(interval.Start):F2}' y='{top}' width='{X(interval.End) - X(interval.Start):F2}' height='{LaneHeight}' ");
        Add($"fill='{ColorOf(_run.Steps[step].Kind)}' {style}><title>{Escaped(Describe(step))}\n");
        Add($"{what}: {interval.Start:F1} to {interval.End:F1}, {interval.End - interval.Start:F2} µs</title></rect>");
    }

    private void DrawSteps()
    {
        for (var step = 0; step < _run.Steps.Count; step++)
        {
            var (x, end) = (X(_run.StartOf(step)), X(_run.Ends[step]));
            Add($"<rect x='{x:F2}' y='{StepsTop}' width='{end - x:F2}' height='{StepsHeight}' fill='{ColorOf(_run.Steps[step].Kind)}' ");
            Add($"stroke='white' stroke-width='.4'><title>{Escaped(Describe(step))}\n{_run.LengthOf(step):F1} µs</title></rect>");
            Add($"<line x1='{end:F2}' x2='{end:F2}' y1='{StepsTop}' y2='{Bottom}' stroke='black' stroke-width='.35'/>");
        }
    }

    // The longest steps, each where no longer one has its name already.
    private void DrawLabels()
    {
        var placed = new List<double>();
        foreach (var step in Enumerable.Range(0, _run.Steps.Count).OrderByDescending(_run.LengthOf))
        {
            var x = X((_run.StartOf(step) + _run.Ends[step]) / 2) + 4;
            if (placed.Count == MostLabels || placed.Exists(other => Math.Abs(other - x) < LeastLabelDistance))
                continue;
            placed.Add(x);
            var text = Text($"{_run.Steps[step].Kind} {_run.Steps[step].Output.Shape} {_run.LengthOf(step):F0}");
            Add($"<text x='{x:F1}' y='{StepsTop - 6}' transform='rotate(-50 {x:F1} {StepsTop - 6})'>{Escaped(text)}</text>");
        }
    }

    private void DrawAxis()
    {
        var distance = Math.Pow(10, Math.Floor(Math.Log10(_run.Total)));
        foreach (var finer in (ReadOnlySpan<double>)[5, 2])
            distance = _run.Total / distance < 8 ? distance / (finer == 5 ? 2 : 2.5) : distance;
        for (var time = 0.0; time <= _run.Total; time += distance)
        {
            Add($"<line x1='{X(time):F1}' x2='{X(time):F1}' y1='{Bottom}' y2='{Bottom + 6}' stroke='black'/>");
            Add($"<text x='{X(time):F1}' y='{Bottom + 18}' text-anchor='middle'>{time:0.##}</text>");
        }

        Add($"<text x='{Left + Width + 8}' y='{Bottom + 18}'>µs</text>");
    }

    private void DrawLegend()
    {
        for (var i = 0; i < _kinds.Length; i++)
        {
            var (kind, time) = _kinds[i];
            var (x, y) = (Left + (i % 5 * 340), Bottom + 38 + (i / 5 * 20));
            Add($"<rect x='{x}' y='{y - 10}' width='12' height='12' fill='{ColorOf(kind)}'/>");
            Add($"<text x='{x + 18}' y='{y}'>{Escaped(kind)} {time:F0} µs, {100 * time / _run.Total:F1} %</text>");
        }
    }

    private string Describe(int step) => $"{_run.Steps[step].Kind} {_run.Steps[step].Output.Shape} '{_run.Steps[step].Name}'";

    private string ColorOf(string kind) => Palette[Math.Min(Array.FindIndex(_kinds, other => other.Kind == kind), Palette.Length - 1)];

    private double X(double time) => Left + (Width * time / _run.Total);

    private void Add(FormattableString text) => _svg.Append(Text(text)).Append('\n');

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Escaped(string text) => SecurityElement.Escape(text);
}
