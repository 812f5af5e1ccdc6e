namespace SeparableConv.Networks.Separating;

/// <summary>A linear function of a patch: what the last convolution of a separated layer reads at one of its taps.</summary>
/// <param name="Index">Places in the patch, ascending.</param>
/// <param name="Values">What the numbers there are multiplied by.</param>
internal readonly record struct Feature(int[] Index, float[] Values);

/// <summary>Features of one group, and the filters that are sums of them.</summary>
/// <param name="Group">The group whose patches are read.</param>
/// <param name="Features">The more important first.</param>
/// <param name="FirstFilter">The first of the filters.</param>
/// <param name="Filters">How many filters.</param>
internal sealed record FeatureBlock(int Group, Feature[] Features, int FirstFilter, int Filters);

/// <summary>Forms of a layer that differ only in how many of the same features they keep.</summary>
/// <param name="Forms">The forms, the smallest first.</param>
/// <param name="Kept">For each form, how many features of each block it keeps.</param>
/// <param name="Blocks">The features of the largest form.</param>
/// <param name="AreOrthonormal">Whether the features of a block are orthogonal to each other, and of norm 1.</param>
internal sealed record FormFamily(LayerForm[] Forms, int[] Kept, FeatureBlock[] Blocks, bool AreOrthonormal);
