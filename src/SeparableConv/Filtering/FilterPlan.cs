using System.Globalization;
using SeparableConv.Filtering;

namespace SeparableConv;

/// <summary>
/// How a kernel will be applied to pictures of one shape: dense, separable, as a sum of separable filters, or by running sums.
/// </summary>
/// <remarks>The cheapest way is chosen by a cost model fitted to measurement; <see cref="Reason"/> says what was weighed.</remarks>
public sealed class FilterPlan
{
    private FilterPlan(
        FilterKernel kernel,
        ImageShape shape,
        FilterOptions options,
        SeparableKernel? separable,
        FilterAlternative chosen,
        IReadOnlyList<FilterAlternative> alternatives,
        string reason)
    {
        Kernel = kernel;
        Shape = shape;
        Options = options;
        Separable = separable;
        Chosen = chosen;
        Alternatives = alternatives;
        Reason = reason;
    }

    /// <summary>The kernel as it was given.</summary>
    public FilterKernel Kernel { get; }

    /// <summary>The pictures that the plan is for.</summary>
    public ImageShape Shape { get; }

    /// <summary>The options that the plan was made with.</summary>
    public FilterOptions Options { get; }

    /// <summary>The terms used; null where the plan is dense or a box.</summary>
    public SeparableKernel? Separable { get; }

    /// <summary>The way that was chosen.</summary>
    public FilterAlternative Chosen { get; }

    /// <summary>All ways that were weighed, the chosen one among them, the cheapest first.</summary>
    public IReadOnlyList<FilterAlternative> Alternatives { get; }

    /// <summary>Why this way was chosen, in one sentence.</summary>
    public string Reason { get; }

    /// <summary>The kind of the chosen way.</summary>
    public FilterPlanKind Kind => Chosen.Kind;

    /// <summary>Separable terms of the chosen way, 1 for a box; 0 where it is dense.</summary>
    public int Rank => Chosen.Rank;

    /// <summary>Multiplications for each channel of a pixel.</summary>
    public int MultiplicationsPerPixel => Chosen.MultiplicationsPerPixel;

    /// <summary>The largest error that dropped terms can cause, in pixel steps.</summary>
    public double ErrorBound => Chosen.ErrorBound;

    /// <summary>Nanoseconds a pixel of all channels, on one thread, as the cost model estimates them.</summary>
    public double EstimatedNanosecondsPerPixel => Chosen.EstimatedNanosecondsPerPixel;

    /// <summary>Plans a filter.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="shape">The pictures.</param>
    /// <param name="options">How it is applied; <see cref="FilterOptions.Default"/> where null.</param>
    /// <returns>The plan.</returns>
    /// <exception cref="ArgumentException">
    /// The shape or an option is out of range, or the plan asked for does not suit the kernel.
    /// </exception>
    public static FilterPlan Create(FilterKernel kernel, ImageShape shape, FilterOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        options ??= FilterOptions.Default;
        shape.Check();
        options.Check(shape.Type);

        var decomposition = KernelSeparation.Decompose(kernel);

        // Pixel steps that an output can be off for each unit of the kernel's own error.
        var range = shape.MaxValue * Math.Abs(options.Scale);
        var separables = new List<SeparableKernel>();
        if (decomposition.Rank > 0)
        {
            separables.Add(decomposition.Exact);
            if (options.MaxError > 0 && range > 0)
                AddIfSmaller(separables, decomposition.ApproximateWithin(options.MaxError / range));
            if (options.Plan.Kind == FilterPlanKind.RankR)
                AddIfSmaller(separables, decomposition.Approximate(CheckedRank(options.Plan.Rank, kernel)));
        }

        var ways = new List<(FilterAlternative Way, SeparableKernel? Terms)> { (DenseWay(kernel, shape), null) };
        foreach (var terms in separables)
        {
            ways.Add(
                (SeparableWay(terms, shape, terms.Rank == decomposition.Rank ? 0 : decomposition.WorstError(terms.Rank) * range), terms));
        }

        if (BoxKernel.Find(kernel) is { } box)
            ways.Add((BoxWay(box, shape), null));
        ways.Sort((a, b) => a.Way.EstimatedNanosecondsPerPixel.CompareTo(b.Way.EstimatedNanosecondsPerPixel));

        var (chosen, chosenTerms) = Choose(ways, options, decomposition);
        var alternatives = ways.ConvertAll(w => w.Way);
        return new FilterPlan(
            kernel, shape, options, chosenTerms, chosen, alternatives, Explain(kernel, decomposition, options, chosen, alternatives));
    }

    /// <summary>For example <c>separable (14 multiplications): ...</c>.</summary>
    /// <returns>Kind, multiplications and reason.</returns>
    public override string ToString() => $"{Describe(Chosen)}: {Reason}";

    private static void AddIfSmaller(List<SeparableKernel> separables, SeparableKernel terms)
    {
        if (separables.TrueForAll(s => s.Rank > terms.Rank) && terms.Rank > 0)
            separables.Add(terms);
    }

    private static int CheckedRank(int rank, FilterKernel kernel)
    {
        var most = Math.Min(kernel.Height, kernel.Width);
        if (rank < 1 || rank > most)
            throw new ArgumentException($"The plan rank:{rank} was asked for; {kernel} has ranks 1 to {most}.");
        return rank;
    }

    private static FilterAlternative DenseWay(FilterKernel kernel, ImageShape shape)
    {
        var taps = CountTaps(kernel.Values);
        var cost = FilterCostModel.Dense(shape.Type, taps) * shape.Channels;
        return new(FilterPlanKind.Dense, 0, kernel.Height * kernel.Width, cost, 0);
    }

    private static FilterAlternative BoxWay(BoxKernel box, ImageShape shape) =>
        new(FilterPlanKind.Box, 1, 1, FilterCostModel.Box(shape.Type, box.Width) * shape.Channels, 0);

    private static FilterAlternative SeparableWay(SeparableKernel terms, ImageShape shape, double errorBound)
    {
        int columnTaps = 0, rowTaps = 0;
        foreach (var term in terms.Terms)
        {
            columnTaps += CountTaps(term.Column);
            rowTaps += CountTaps(term.Row);
        }

        var cost = FilterCostModel.Separable(shape.Type, columnTaps, rowTaps, terms.Rank) * shape.Channels;
        var kind = terms.Rank == 1 ? FilterPlanKind.Separable : FilterPlanKind.RankR;
        return new(kind, terms.Rank, terms.Rank * (terms.Height + terms.Width), cost, errorBound);
    }

    private static int CountTaps(ReadOnlySpan<double> weights) => weights.Length - weights.Count(0.0);

    private static (FilterAlternative Way, SeparableKernel? Terms) Choose(
        List<(FilterAlternative Way, SeparableKernel? Terms)> ways, FilterOptions options, KernelDecomposition decomposition)
    {
        switch (options.Plan.Kind)
        {
            case null:
                return ways.Find(w => w.Way.ErrorBound <= options.MaxError || w.Way.Rank is 0 || w.Way.Rank == decomposition.Rank);
            case FilterPlanKind.Dense:
                return ways.Find(w => w.Way.Kind == FilterPlanKind.Dense);
            case FilterPlanKind.Box:
                return ways.Find(w => w.Way.Kind == FilterPlanKind.Box) is { Way: not null } way ? way : throw new ArgumentException(
                    $"The plan box was asked for but {decomposition.Kernel} is not one number in a rectangle; use auto.");
            case FilterPlanKind.Separable when decomposition.Rank != 1:
                throw new ArgumentException(
                    $"The plan separable was asked for but {decomposition.Kernel} has rank {decomposition.Rank}; use "
                    + (decomposition.Rank == 0 ? "dense." : $"rank:{decomposition.Rank}, or rank:1 for an approximation."));
            case FilterPlanKind.Separable:
                return ways.Find(w => w.Way.Kind == FilterPlanKind.Separable);
            default:
                // The zero kernel has no terms; any rank of it is the dense plan without taps.
                var rank = Math.Min(CheckedRank(options.Plan.Rank, decomposition.Kernel), decomposition.Rank);
                return ways.Find(w => w.Way.Rank == rank && w.Way.Kind != FilterPlanKind.Box);
        }
    }

    private static string Explain(
        FilterKernel kernel,
        KernelDecomposition decomposition,
        FilterOptions options,
        FilterAlternative chosen,
        IReadOnlyList<FilterAlternative> alternatives)
    {
        var costs = string.Join(", ", alternatives.Select(a =>
            string.Create(CultureInfo.InvariantCulture, $"{Describe(a)} {a.EstimatedNanosecondsPerPixel:0.00} ns")));
        var error = chosen.ErrorBound > 0 && chosen.Rank != decomposition.Rank
            ? string.Create(CultureInfo.InvariantCulture, $"; dropping terms costs at most {chosen.ErrorBound:0.###} steps")
            : "";
        var why = options.Plan.Kind is null ? "is the cheapest" : "was asked for";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{kernel} has rank {decomposition.Rank}; {Describe(chosen)} {why} (estimated a pixel: {costs}){error}.");
    }

    private static string Describe(FilterAlternative way)
    {
        var name = way.Kind switch
        {
            FilterPlanKind.Dense => "dense",
            FilterPlanKind.Separable => "separable",
            FilterPlanKind.Box => "box",
            _ => string.Create(CultureInfo.InvariantCulture, $"rank {way.Rank}"),
        };
        var unit = way.MultiplicationsPerPixel == 1 ? "multiplication" : "multiplications";
        return string.Create(CultureInfo.InvariantCulture, $"{name} ({way.MultiplicationsPerPixel} {unit})");
    }
}

/// <summary>One way to compute a filter, with what it is expected to cost.</summary>
/// <param name="Kind">The kind of the way.</param>
/// <param name="Rank">Separable terms, 1 for a box; 0 where the way is dense.</param>
/// <param name="MultiplicationsPerPixel">kH*kW, rank*(kH + kW), or 1 for a box, for each channel of a pixel.</param>
/// <param name="EstimatedNanosecondsPerPixel">Nanoseconds a pixel of all channels, on one thread, as the cost model estimates them.</param>
/// <param name="ErrorBound">The largest error that dropped terms can cause, in pixel steps; 0 where nothing is dropped.</param>
public sealed record FilterAlternative(
    FilterPlanKind Kind, int Rank, int MultiplicationsPerPixel, double EstimatedNanosecondsPerPixel, double ErrorBound);

/// <summary>The ways to compute a filter.</summary>
public enum FilterPlanKind
{
    /// <summary>One sum over all kH*kW taps.</summary>
    Dense,

    /// <summary>A column of kH taps, then a row of kW: for kernels of rank 1.</summary>
    Separable,

    /// <summary>A sum of r separable filters: r*(kH + kW) taps.</summary>
    RankR,

    /// <summary>
    /// Running sums, for kernels that are one number in a rectangle: one multiplication, and a time that hardly depends on the rectangle.
    /// </summary>
    Box,
}
