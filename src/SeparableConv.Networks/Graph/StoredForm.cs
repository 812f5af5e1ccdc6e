namespace SeparableConv.Networks.Graph;

/// <summary>A tensor as a file stores it, of which a network has the numbers in another order, shape or type.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Shape">Its shape there.</param>
/// <param name="IsTransposed">Whether the network has its dimensions in another order.</param>
internal sealed record StoredForm(string Name, TensorShape Shape, bool IsTransposed);
