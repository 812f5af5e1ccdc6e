using SeparableConv.Tests.Networks.Operators;
using static SeparableConv.Tests.Networks.Formats.OnnxBuilder;

namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Einsum against a sum over all indices, term by term.</summary>
public class OnnxEinsumTests
{
    // Letters for every dimension, those of an ellipsis capital, and each operand's shape.
    public static TheoryData<string, string, string> Equations => new()
    {
        { "bij,bjk->bik", "bij,bjk->bik", "2 3 4,2 4 5" },
        { "bij , bjk", "bij,bjk->ik", "2 3 4,2 4 5" },
        { "i,i", "i,i->", "4,4" },
        { "i,j->ij", "i,j->ij", "4,5" },
        { "ba", "ba->ab", "2 3" },
        { "ij->", "ij->", "4 3" },
        { "ii->i", "ii->i", "4 4" },
        { "ii", "ii->", "3 3" },
        { "...ii->...i", "XYii->XYi", "2 3 4 4" },
        { "iij,ij->j", "iij,ij->j", "3 3 4,3 4" },
        { "bij,bjk,kl->bil", "bij,bjk,kl->bil", "2 3 4,2 4 5,5 3" },
        { "...ij,...jk->...ik", "XYij,Yjk->XYik", "2 3 3 4,3 4 2" },
        { "...ij,...jk", "XYij,Yjk->XYik", "2 3 3 4,1 4 2" },
        { "bhid,bhjd->bhij", "bhid,bhjd->bhij", "2 3 4 5,2 3 6 5" },
        { "nchw,cd->ndhw", "nchw,cd->ndhw", "2 3 4 5,3 6" },
        { "ij,kl->il", "ij,kl->il", "3 4,2 5" },
        { "ij,jk->ik", "ij,jk->ik", "3 4,4 1" },
        { "i,j->ij", "i,j->ij", "1,1" },
        { "ij,ij->ji", "ij,ij->ji", "3 4,1 4" },
    };

    [Theory]
    [MemberData(nameof(Equations))]
    public void Products_are_summed_over_what_the_result_has_not(string equation, string labels, string shapes)
    {
        var sides = labels.Split("->");
        var (operands, result) = (sides[0].Split(','), sides[1]);
        int[][] lengths = [.. shapes.Split(',').Select(shape => shape.Split(' ').Select(int.Parse).ToArray())];
        TensorData[] inputs = [.. lengths.Select((shape, i) => OperatorRun.Floats(i + 1, shape))];
        char[] all = [.. string.Concat(operands).Distinct()];
        int Size(char label) => operands.Zip(lengths).Max(pair => pair.First.IndexOf(label) is var d and >= 0 ? pair.Second[d] : 1);
        int[] sizes = [.. all.Select(Size)];
        int[] shape = [.. result.Select(label => sizes[Array.IndexOf(all, label)])];
        var expected = new double[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < sizes.Aggregate(1, (a, b) => a * b); i++)
        {
            var at = MovedElements.Index(i, sizes);
            int Flat(string names, int[] own) => names.Zip(own).Aggregate(
                0, (sum, pair) => (sum * pair.Second) + (pair.Second == 1 ? 0 : at[Array.IndexOf(all, pair.First)]));
            expected[Flat(result, shape)] += operands.Select((names, k) => (double)inputs[k].Span<float>()[Flat(names, lengths[k])])
                .Aggregate(1.0, (a, b) => a * b);
        }

        new OneNodeModel("Einsum", 12, Text("equation", equation)).Check(shape, expected, 2e-6, inputs);
        if (inputs.Length > 1)
            new OneNodeModel("Einsum", 12, Text("equation", equation)) { FirstConstant = 1 }.Check(shape, expected, 2e-6, inputs);
    }

    [Theory]
    [InlineData("ij->ik", "names a dimension twice, or one that no operand has")]
    [InlineData("ij->ii", "names a dimension twice")]
    [InlineData("ijk", "does not fit a tensor of 2 dimensions")]
    [InlineData("ij,jk", "has 2 operands; the node has 1")]
    [InlineData("ii", "is 3 in one operand and 4 in another")]
    public void What_is_no_equation_is_refused(string equation, string reason) => Assert.Contains(
        reason, new OneNodeModel("Einsum", 12, Text("equation", equation)).Refusal(OperatorRun.Floats(1, 3, 4)), StringComparison.Ordinal);
}
