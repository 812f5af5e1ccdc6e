using System.Numerics.Tensors;

namespace SeparableConv.Tests.Separation;

public class FilterKernelTests
{
    private static readonly FilterKernel Kernel = new([1.0, -2, 3, 4, 5, -6], 2, 3, name: "k");

    [Fact]
    public void Kernel_answers_for_its_numbers()
    {
        Assert.Equal(-6, Kernel[1, 2]);
        Assert.Equal(5, Kernel.Sum);
        Assert.Equal(21, Kernel.AbsoluteSum);
        Assert.Equal(6, Kernel.MaxAbsolute);
        Assert.Equal("k (2x3)", Kernel.ToString());
        Assert.Equal([-6.0, 5, 4, 3, -2, 1], Kernel.Flip().Values.ToArray());
        Assert.Equal([1.0, 4, -2, 5, 3, -6], Kernel.Transpose().Values.ToArray());
        Assert.Equal(new Size2D(3, 2), Kernel.Transpose().Size);
        Assert.Equal([2.0, -4, 6, 8, 10, -12], Kernel.Scale(2).Values.ToArray());
    }

    [Fact]
    public void Numbers_are_copied()
    {
        double[] values = [1, 2];
        var kernel = new FilterKernel(values.AsSpan(), 1, 2);
        values[0] = 9;
        Assert.Equal(1, kernel[0, 0]);
    }

    [Fact]
    public void Tensors_keep_their_order_and_precision()
    {
        double[] numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        var tensor = new ReadOnlyTensorSpan<double>(numbers, [3, 4]);
        Assert.Equal(numbers, FilterKernel.FromTensor(tensor).Values.ToArray());
        Assert.Equal(FilterKernel.DoubleEpsilon, FilterKernel.FromTensor(tensor).Epsilon);

        // A slice is not dense.
        var inner = FilterKernel.FromTensor(tensor.Slice([1..3, 1..3]), "inner");
        Assert.Equal([6.0, 7, 10, 11], inner.Values.ToArray());

        var single = FilterKernel.FromTensor(new ReadOnlyTensorSpan<float>([0.1f, 0.2f], [1, 2]));
        Assert.Equal([(double)0.1f, 0.2f], single.Values.ToArray());
        Assert.Equal(FilterKernel.SingleEpsilon, single.Epsilon);
    }

    [Fact]
    public void Terms_know_how_they_mirror_and_flip()
    {
        var term = new SeparableTerm([1, 2, 1], [-1, 0, 1]);
        Assert.Equal((FactorSymmetry.Symmetric, FactorSymmetry.Antisymmetric), (term.ColumnSymmetry, term.RowSymmetry));
        Assert.Equal([1.0, 0, -1], term.Flip().Row.ToArray());

        var kernel = new SeparableKernel([term, new SeparableTerm([1, 2, 3], [4, 5, 6])], 3, 3, "two");
        Assert.Equal(2, kernel.Rank);
        Assert.Equal([3.0, 5, 7, 6, 10, 14, 11, 15, 19], kernel.ToKernel().Values.ToArray());
        Assert.Equal(kernel.ToKernel().Flip().Values.ToArray(), kernel.Flip().ToKernel().Values.ToArray());
    }

    [Fact]
    public void Faults_are_refused_with_the_numbers()
    {
        Contains("0x3", () => new FilterKernel([], 0, 3));
        Contains("2x2 kernel has 4 numbers but 3", () => new FilterKernel([1.0, 2, 3], 2, 2));
        Contains("NaN in row 1, column 0", () => new FilterKernel([1.0, double.NaN], 2, 1));
        Contains("precision is 1", () => new FilterKernel([1.0], 1, 1, epsilon: 1));
        Contains("3 came", () => FilterKernel.FromTensor(new ReadOnlyTensorSpan<float>([1f], [1, 1, 1])));
        Contains("at position 1", () => new SeparableTerm([1, double.PositiveInfinity], [1]));
        Contains("row of a separable term is empty", () => new SeparableTerm([1], []));
        Contains("kernel is 2x2", () => new SeparableKernel([new SeparableTerm([1], [1])], 2, 2));
        Contains("Row 2", () => Kernel[2, 0]);
        Contains("Column -1", () => Kernel[0, -1]);
        Contains("must be finite", () => Kernel.Scale(double.MaxValue));

        static void Contains(string part, Func<object> act) => Assert.Contains(part, Assert.ThrowsAny<ArgumentException>(act).Message);
    }
}
