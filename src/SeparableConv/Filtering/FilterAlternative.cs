namespace SeparableConv;

/// <summary>One way to compute a filter, with what it is expected to cost.</summary>
/// <param name="Kind">The way.</param>
/// <param name="Rank">Separable terms; 0 where the way is dense.</param>
/// <param name="MultiplicationsPerPixel">kH*kW or rank*(kH + kW), for each channel of a pixel.</param>
/// <param name="EstimatedNanosecondsPerPixel">By the cost model, one thread, all channels.</param>
/// <param name="ErrorBound">The largest error that dropped terms can cause, in pixel steps; 0 where nothing is dropped.</param>
public sealed record FilterAlternative(
    FilterPlanKind Kind, int Rank, int MultiplicationsPerPixel, double EstimatedNanosecondsPerPixel, double ErrorBound);
