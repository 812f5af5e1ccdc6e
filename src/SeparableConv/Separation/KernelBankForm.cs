namespace SeparableConv;

/// <summary>What the kernels of a bank share when all of them filter one picture.</summary>
public enum BankSharing
{
    /// <summary>Each kernel is a sum of its own separable terms: (sum of terms)*(kH + kW) multiplications a pixel.</summary>
    Nothing,

    /// <summary>R column filters, and for each kernel a row filter on each of their R pictures: R*(kH + N*kW).</summary>
    Columns,

    /// <summary>R row filters, and for each kernel a column filter on each of their R pictures: R*(kW + N*kH).</summary>
    Rows,

    /// <summary>T dense kernels, and each kernel a weighted sum of their T pictures: T*(kH*kW + N).</summary>
    Kernels,
}

/// <summary>A bank of kernels in one form: what it costs, and how far it is from the bank.</summary>
/// <param name="Sharing">What is shared.</param>
/// <param name="Terms">R or T of <see cref="BankSharing"/>; where nothing is shared, the terms of all kernels together.</param>
/// <param name="MultiplicationsPerPixel">Multiplications for one pixel of the input, all N outputs together.</param>
/// <param name="Kernels">The kernels that the form computes, multiplied out, in the order of the bank.</param>
/// <param name="FrobeniusError">sqrt(sum over n,i,j of (K_n - L_n)^2), where L_n are <paramref name="Kernels"/>.</param>
/// <param name="WorstError">
/// The largest |output error| that inputs between -1 and 1 can cause: max over n of sum over i,j of |K_n - L_n|.
/// </param>
public sealed record KernelBankForm(
    BankSharing Sharing,
    int Terms,
    long MultiplicationsPerPixel,
    IReadOnlyList<FilterKernel> Kernels,
    double FrobeniusError,
    double WorstError);
