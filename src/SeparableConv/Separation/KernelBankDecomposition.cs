using System.Numerics.Tensors;

namespace SeparableConv;

/// <summary>What a bank of N kernels of one size separates into, kernel by kernel and with parts that the kernels share.</summary>
/// <remarks>
/// The bank is a convolution of one channel to N. Each way of sharing is the singular value decomposition of one matrix, so no other
/// parts of the same number come nearer to the bank in the least-squares sense (Eckart and Young). What counts as rounding is relative to
/// the largest singular value of that matrix: a kernel that is tiny beside the others keeps its digits only where nothing is shared.
/// </remarks>
public sealed class KernelBankDecomposition
{
    private readonly double[] _bank;

    internal KernelBankDecomposition(KernelDecomposition[] kernels)
    {
        Kernels = kernels;
        Size = kernels[0].Kernel.Size;
        _bank = new double[checked(kernels.Length * Taps)];
        for (var n = 0; n < kernels.Length; n++)
            kernels[n].Kernel.Values.CopyTo(_bank.AsSpan(n * Taps, Taps));

        var epsilon = kernels.Max(k => k.Kernel.Epsilon);
        SharedColumns = new(SideBySide(_bank), Size.Height, kernels.Length * Size.Width, epsilon);
        SharedRows = new(_bank, kernels.Length * Size.Height, Size.Width, epsilon);
        SharedKernels = new(_bank, kernels.Length, Taps, epsilon);
    }

    /// <summary>Each kernel by itself, in the order of the bank.</summary>
    public IReadOnlyList<KernelDecomposition> Kernels { get; }

    /// <summary>Height and width of every kernel.</summary>
    public Size2D Size { get; }

    /// <summary>
    /// The kernels side by side, (kH, N*kW). In a term the column is the shared filter; numbers n*kW to n*kW + kW - 1 of the row are what
    /// kernel n does with its picture.
    /// </summary>
    public MatrixDecomposition SharedColumns { get; }

    /// <summary>
    /// The kernels one below the other, (N*kH, kW). In a term the row is the shared filter; numbers n*kH to n*kH + kH - 1 of the column
    /// are what kernel n does with its picture.
    /// </summary>
    public MatrixDecomposition SharedRows { get; }

    /// <summary>
    /// A kernel a row, (N, kH*kW). In a term the row is the shared kernel, row after row; number n of the column is its weight in kernel n.
    /// </summary>
    public MatrixDecomposition SharedKernels { get; }

    /// <summary>Multiplications a pixel of all kernels without any separation: N*kH*kW.</summary>
    public long DenseMultiplicationsPerPixel => _bank.LongLength;

    private int Taps => Size.Height * Size.Width;

    /// <summary>The bank in as many terms as its rank, which is exact but for rounding.</summary>
    /// <param name="sharing">What the kernels share.</param>
    /// <returns>The form.</returns>
    public KernelBankForm Exact(BankSharing sharing) => Approximate(sharing, int.MaxValue);

    /// <summary>The bank in a number of terms.</summary>
    /// <param name="sharing">What the kernels share.</param>
    /// <param name="terms">
    /// Terms in all, or of each kernel where nothing is shared; 0 or more. No more are used than the rank has.
    /// </param>
    /// <returns>The form.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public KernelBankForm Approximate(BankSharing sharing, int terms)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(terms);
        if (sharing == BankSharing.Nothing)
            return Measure(Kernels.Select(k => k.Approximate(Math.Min(terms, k.Rank))));

        var matrix = MatrixOf(sharing);
        var used = Math.Min(terms, matrix.Rank);
        var product = new double[_bank.Length];
        for (var t = 0; t < used; t++)
            Add(product, matrix.Term(t), 1);
        return Measure(sharing, used, Multiplications(sharing, used), KernelByKernel(sharing, product));
    }

    /// <summary>The bank in the fewest terms whose Frobenius error is within a bound.</summary>
    /// <param name="sharing">What the kernels share; where that is nothing, all kernels get the same number of terms.</param>
    /// <param name="maxFrobeniusError">
    /// The largest <see cref="KernelBankForm.FrobeniusError"/> allowed, but for rounding; 0 or more.
    /// </param>
    /// <returns>The form; that of <see cref="Exact"/> where none has less error.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bound is negative or not a number.</exception>
    public KernelBankForm ApproximateWithinNorm(BankSharing sharing, double maxFrobeniusError)
    {
        CheckBound(maxFrobeniusError, nameof(maxFrobeniusError));

        // Errors of two forms that are equal on paper differ by rounding.
        if (sharing == BankSharing.Nothing)
        {
            var bound = maxFrobeniusError + Kernels.Max(k => k.Tolerance);
            var most = Kernels.Max(k => k.Rank);
            for (var each = 0; each < most; each++)
            {
                if (Approximate(sharing, each) is var form && form.FrobeniusError <= bound)
                    return form;
            }

            return Exact(sharing);
        }

        var matrix = MatrixOf(sharing);
        var terms = 0;
        while (terms < matrix.Rank && matrix.FrobeniusError(terms) > maxFrobeniusError + matrix.Tolerance)
            terms++;
        return Approximate(sharing, terms);
    }

    /// <summary>The bank in the fewest terms whose worst output error is within a bound.</summary>
    /// <param name="sharing">What the kernels share; where that is nothing, each kernel gets the fewest terms of its own.</param>
    /// <param name="maxError">Largest |output error| allowed where inputs lie between -1 and 1; 0 or more.</param>
    /// <returns>The form; that of <see cref="Exact"/> where none has less error.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bound is negative or not a number.</exception>
    public KernelBankForm ApproximateWithin(BankSharing sharing, double maxError)
    {
        CheckBound(maxError, nameof(maxError));
        if (sharing == BankSharing.Nothing)
            return Measure(Kernels.Select(k => k.ApproximateWithin(maxError)));

        var matrix = MatrixOf(sharing);
        var residual = sharing == BankSharing.Columns ? SideBySide(_bank) : (double[])_bank.Clone();
        var terms = 0;
        while (terms < matrix.Rank && WorstError(KernelByKernel(sharing, residual)) > maxError)
            Add(residual, matrix.Term(terms++), -1);
        return Approximate(sharing, terms);
    }

    private static void CheckBound(double bound, string name)
    {
        if (!(bound >= 0))
            throw new ArgumentOutOfRangeException(name, $"The error bound is {bound}; it must be 0 or more.");
    }

    private static void Add(double[] matrix, SeparableTerm term, double sign) =>
        SeparableKernel.AddTerm(matrix, term.Column, term.Row, sign);

    private MatrixDecomposition MatrixOf(BankSharing sharing) => sharing switch
    {
        BankSharing.Columns => SharedColumns,
        BankSharing.Rows => SharedRows,
        BankSharing.Kernels => SharedKernels,
        _ => throw new ArgumentOutOfRangeException(nameof(sharing), $"There is no way of sharing {sharing}."),
    };

    private long Multiplications(BankSharing sharing, long terms)
    {
        var (height, width, count) = ((long)Size.Height, (long)Size.Width, (long)Kernels.Count);
        return checked(terms * sharing switch
        {
            BankSharing.Columns => height + (count * width),
            BankSharing.Rows => width + (count * height),
            _ => (height * width) + count,
        });
    }

    private KernelBankForm Measure(IEnumerable<SeparableKernel> kernels)
    {
        SeparableKernel[] all = [.. kernels];
        var terms = all.Sum(k => k.Rank);
        var product = new double[_bank.Length];
        for (var n = 0; n < all.Length; n++)
            all[n].ToKernel().Values.CopyTo(product.AsSpan(n * Taps, Taps));
        return Measure(BankSharing.Nothing, terms, ConvCost.FilterMultiplications(Size, terms), product);
    }

    private KernelBankForm Measure(BankSharing sharing, int terms, long multiplications, double[] product)
    {
        var kernels = new FilterKernel[Kernels.Count];
        for (var n = 0; n < kernels.Length; n++)
        {
            var kernel = Kernels[n].Kernel;
            kernels[n] = new FilterKernel(product.AsSpan(n * Taps, Taps), Size.Height, Size.Width, kernel.Epsilon, kernel.Name);
        }

        var residual = new double[_bank.Length];
        TensorPrimitives.Subtract(_bank, product, residual);
        var worst = WorstError(residual);
        return new(sharing, terms, multiplications, kernels, KernelDecomposition.Norm(residual), worst);
    }

    private double WorstError(double[] residual)
    {
        var worst = 0.0;
        for (var n = 0; n < Kernels.Count; n++)
            worst = Math.Max(worst, TensorPrimitives.SumOfMagnitudes<double>(residual.AsSpan(n * Taps, Taps)));
        return worst;
    }

    // (N, kH, kW) to (kH, N, kW).
    private double[] SideBySide(double[] bank) => ExchangeOuter(bank, Kernels.Count, Size.Height);

    // The matrices of the other forms lie as the bank does.
    private double[] KernelByKernel(BankSharing sharing, double[] matrix) =>
        sharing == BankSharing.Columns ? ExchangeOuter(matrix, Size.Height, Kernels.Count) : matrix;

    private double[] ExchangeOuter(double[] values, int first, int second)
    {
        var width = Size.Width;
        var exchanged = new double[values.Length];
        for (var a = 0; a < first; a++)
        {
            for (var b = 0; b < second; b++)
                values.AsSpan(((a * second) + b) * width, width).CopyTo(exchanged.AsSpan(((b * first) + a) * width, width));
        }

        return exchanged;
    }
}
