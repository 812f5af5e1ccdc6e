using System.Numerics.Tensors;

namespace SeparableConv;

/// <summary>A two-dimensional filter kernel: Height x Width numbers in double precision, row-major, immutable.</summary>
/// <remarks>
/// The kernel remembers the precision that its numbers came in (<see cref="Epsilon"/>), because that decides how small a
/// singular value still counts as one: see <see cref="KernelSeparation"/>.
/// </remarks>
public sealed class FilterKernel
{
    /// <summary>The distance from 1 to the next double: 2^-52.</summary>
    public const double DoubleEpsilon = 1.0 / (1L << 52);

    /// <summary>The distance from 1 to the next float: 2^-23.</summary>
    public const double SingleEpsilon = 1.0 / (1L << 23);

    /// <summary>The distance from 1 to the next float16: 2^-10.</summary>
    public const double HalfEpsilon = 1.0 / (1 << 10);

    private readonly double[] _values;

    /// <summary>Makes a kernel from its numbers; they are copied.</summary>
    /// <param name="values">Height*width finite numbers, row after row.</param>
    /// <param name="height">Rows, 1 or more.</param>
    /// <param name="width">Columns, 1 or more.</param>
    /// <param name="epsilon">
    /// Relative precision of the numbers: <see cref="DoubleEpsilon"/>, <see cref="SingleEpsilon"/> or <see cref="HalfEpsilon"/>; between 0
    /// and 1.
    /// </param>
    /// <param name="name">A name for messages and reports; "kernel" where none is given.</param>
    /// <exception cref="ArgumentException">
    /// A size is not positive, the count is not height*width, a number is not finite, or epsilon is out of range.
    /// </exception>
    public FilterKernel(ReadOnlySpan<double> values, int height, int width, double epsilon = DoubleEpsilon, string? name = null)
        : this(values.ToArray(), height, width, epsilon, name)
    {
    }

    // Takes the array over without a copy.
    internal FilterKernel(double[] values, int height, int width, double epsilon = DoubleEpsilon, string? name = null)
    {
        if (height <= 0 || width <= 0)
            throw new ArgumentException($"The kernel has size {height}x{width}; both sides must be at least 1.");
        if (values.LongLength != (long)height * width)
        {
            throw new ArgumentException(
                $"A {height}x{width} kernel has {(long)height * width} numbers but {values.Length} were given; pass them row after row.");
        }

        if (!(epsilon >= 0 && epsilon < 1))
            throw new ArgumentException(
                $"The kernel's relative precision is {epsilon}; it must be at least 0 and less than 1, such as 2^-52.");

        for (var i = 0; i < values.Length; i++)
        {
            if (!double.IsFinite(values[i]))
            {
                throw new ArgumentException(
                    $"The kernel has {values[i]} in row {i / width}, column {i % width}; every number must be finite.");
            }
        }

        _values = values;
        Height = height;
        Width = width;
        Epsilon = epsilon;
        Name = string.IsNullOrEmpty(name) ? "kernel" : name;
    }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Height and width.</summary>
    public Size2D Size => new(Height, Width);

    /// <summary>Relative precision that the numbers came in.</summary>
    public double Epsilon { get; }

    /// <summary>The name for messages and reports, such as <c>gauss:15:2.6</c>.</summary>
    public string Name { get; }

    /// <summary>All numbers, row after row.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>The sum of the numbers: what the filter makes of a picture that is 1 everywhere.</summary>
    public double Sum => TensorPrimitives.Sum<double>(_values);

    /// <summary>The sum of absolute values: the largest output for inputs between -1 and 1.</summary>
    public double AbsoluteSum => TensorPrimitives.SumOfMagnitudes<double>(_values);

    /// <summary>The largest absolute value.</summary>
    public double MaxAbsolute => Math.Abs(TensorPrimitives.MaxMagnitude<double>(_values));

    /// <summary>One number.</summary>
    /// <param name="row">From 0 to Height-1.</param>
    /// <param name="column">From 0 to Width-1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The position is outside the kernel.</exception>
    public double this[int row, int column]
    {
        get
        {
            if ((uint)row >= (uint)Height)
                throw new ArgumentOutOfRangeException(
                    nameof(row), $"Row {row} of a {Height}x{Width} kernel was asked for; rows are 0 to {Height - 1}.");
            if ((uint)column >= (uint)Width)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(column), $"Column {column} of a {Height}x{Width} kernel was asked for; columns are 0 to {Width - 1}.");
            }

            return _values[(row * Width) + column];
        }
    }

    /// <summary>Copies a two-dimensional tensor (height, width) of floats; its precision is <see cref="SingleEpsilon"/>.</summary>
    /// <param name="tensor">The numbers; any strides.</param>
    /// <param name="name">A name for messages and reports.</param>
    /// <returns>The kernel.</returns>
    /// <exception cref="ArgumentException">The tensor has not two dimensions, is empty, or holds a number that is not finite.</exception>
    public static FilterKernel FromTensor(in ReadOnlyTensorSpan<float> tensor, string? name = null)
    {
        var (height, width) = CheckShape(tensor.Lengths);
        var values = new float[height * width];
        tensor.FlattenTo(values);
        return new FilterKernel(Array.ConvertAll(values, v => (double)v), height, width, SingleEpsilon, name);
    }

    /// <summary>Copies a two-dimensional tensor (height, width) of doubles; its precision is <see cref="DoubleEpsilon"/>.</summary>
    /// <param name="tensor">The numbers; any strides.</param>
    /// <param name="name">A name for messages and reports.</param>
    /// <returns>The kernel.</returns>
    /// <exception cref="ArgumentException">The tensor has not two dimensions, is empty, or holds a number that is not finite.</exception>
    public static FilterKernel FromTensor(in ReadOnlyTensorSpan<double> tensor, string? name = null)
    {
        var (height, width) = CheckShape(tensor.Lengths);
        var values = new double[height * width];
        tensor.FlattenTo(values);
        return new FilterKernel(values, height, width, DoubleEpsilon, name);
    }

    /// <summary>The product of a column and a row: K[i,j] = column[i] * row[j].</summary>
    /// <param name="column">Height finite numbers.</param>
    /// <param name="row">Width finite numbers.</param>
    /// <param name="name">A name for messages and reports.</param>
    /// <returns>The kernel; its rank is 1, or 0 where a factor is all zeros.</returns>
    /// <exception cref="ArgumentException">A factor is empty or a product is not finite.</exception>
    public static FilterKernel OuterProduct(ReadOnlySpan<double> column, ReadOnlySpan<double> row, string? name = null)
    {
        var values = new double[column.Length * row.Length];
        for (var i = 0; i < column.Length; i++)
            TensorPrimitives.Multiply(row, column[i], values.AsSpan(i * row.Length, row.Length));
        return new FilterKernel(values, column.Length, row.Length, DoubleEpsilon, name);
    }

    /// <summary>The kernel turned by 180 degrees: correlating with it is convolving with this one.</summary>
    /// <returns>K'[i,j] = K[Height-1-i, Width-1-j].</returns>
    public FilterKernel Flip()
    {
        var values = (double[])_values.Clone();
        Array.Reverse(values);
        return new FilterKernel(values, Height, Width, Epsilon, Name);
    }

    /// <summary>Rows and columns exchanged.</summary>
    /// <returns>K'[i,j] = K[j,i].</returns>
    public FilterKernel Transpose()
    {
        var values = new double[_values.Length];
        for (var i = 0; i < Height; i++)
        {
            for (var j = 0; j < Width; j++)
                values[(j * Height) + i] = _values[(i * Width) + j];
        }

        return new FilterKernel(values, Width, Height, Epsilon, Name);
    }

    /// <summary>Every number multiplied.</summary>
    /// <param name="factor">A finite number.</param>
    /// <returns>K' = factor * K.</returns>
    /// <exception cref="ArgumentException">A product is not finite.</exception>
    public FilterKernel Scale(double factor)
    {
        var values = new double[_values.Length];
        TensorPrimitives.Multiply(_values, factor, values);
        return new FilterKernel(values, Height, Width, Epsilon, Name);
    }

    /// <summary>For example <c>gauss:15:2.6 (15x15)</c>.</summary>
    /// <returns>Name and size.</returns>
    public override string ToString() => $"{Name} ({Height}x{Width})";

    private static (int Height, int Width) CheckShape(ReadOnlySpan<nint> lengths)
    {
        if (lengths.Length != 2)
            throw new ArgumentException(
                $"A filter kernel is a tensor of 2 dimensions (height, width) but {lengths.Length} came; drop or slice the others.");
        if (lengths[0] > int.MaxValue / Math.Max(1, lengths[1]))
            throw new ArgumentException(
                $"A filter kernel of {lengths[0]}x{lengths[1]} is too large; at most {int.MaxValue} numbers are supported.");
        return ((int)lengths[0], (int)lengths[1]);
    }
}
