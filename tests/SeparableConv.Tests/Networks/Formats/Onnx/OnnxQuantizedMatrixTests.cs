namespace SeparableConv.Tests.Networks.Formats;

/// <summary>Products of matrices of bytes, ONNX's own and com.microsoft's, beside plain loops that round as ONNX Runtime does.</summary>
public sealed class OnnxQuantizedMatrixTests
{
    private const string Domain = "com.microsoft.";

    /// <summary>How a model gives its matrices, scales and zero points.</summary>
    public enum Form
    {
        /// <summary>Constant weights, one scale.</summary>
        Dense,

        /// <summary>Constant weights, a scale and a zero point for each column.</summary>
        Columns,

        /// <summary>The weights are computed.</summary>
        Computed,

        /// <summary>A batch of either, broadcast.</summary>
        Batch,

        /// <summary>A scale and a zero point for each row of the first matrix.</summary>
        Rows,
    }

    public static TheoryData<Form, bool, bool> Forms()
    {
        var data = new TheoryData<Form, bool, bool>();
        foreach (var form in Enum.GetValues<Form>())
        {
            foreach (var signed in new[] { false, true })
            {
                data.Add(form, signed, false);
                data.Add(form, signed, true);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void MatMulInteger_gives_the_exact_sums(Form form, bool signed, bool weightsSigned)
    {
        foreach (var (rows, depth, columns) in new[] { (1, 1, 1), (5, 19, 11), (3, 64, 33), (17, 4, 8) })
        {
            var m = new Matrices(form, signed, weightsSigned, rows, depth, columns);
            m.Case.Model.Node("MatMulInteger", ["a", "b", "az", "bz"], ["y"]);
            m.Case.Check(m.Sums());
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void QLinearMatMul_rounds_once_half_to_even(Form form, bool signed, bool weightsSigned)
    {
        foreach (var (rows, depth, columns) in new[] { (1, 1, 1), (5, 19, 11), (3, 64, 33) })
        {
            var m = new Matrices(form, signed, weightsSigned, rows, depth, columns);
            var c = m.Case.Scale("c", 4);
            m.Case.Model.Node("QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "cs", "cz"], ["y"]);
            m.Case.Check(m.Sums().Select((sum, i) =>
                c.Saturated(MathF.Round(sum * (m.ScaleA(i) * m.ScaleB(i) / c.Scale)) + c.ZeroPoint)).ToArray());
        }
    }

    [Theory]
    [InlineData(false, 1, true, true)]
    [InlineData(true, 1, true, false)]
    [InlineData(true, 0.7f, true, true)]
    [InlineData(false, 1, false, true)]
    [InlineData(true, 0.3f, false, false)]
    public void QGemm_adds_the_bias_to_the_sums(bool signed, float alpha, bool quantized, bool hasBias)
    {
        foreach (var form in new[] { Form.Dense, Form.Columns, Form.Computed })
        {
            var m = new Matrices(form, signed, true, 5, 23, 9, turned: true);
            var c = m.Case.Scale("c", 4);
            int[] bias = [.. Enumerable.Range(0, 9).Select(i => hasBias ? (i * 700) - 2000 : 0)];
            m.Case.Model.Constant("bias", bias, 9);
            string[] inputs = ["a", "as", "az", "b", "bs", "bz", hasBias ? "bias" : ""];
            if (quantized)
                inputs = [.. inputs, "cs", "cz"];
            m.Case.Model.Node(Domain + "QGemm", inputs, ["y"], OnnxBuilder.Int("transB", 1), OnnxBuilder.Float("alpha", alpha));
            var sums = m.Sums();
            float Factor(int i) => alpha * m.ScaleA(i) * m.ScaleB(i);
            if (quantized)
            {
                m.Case.Check(sums.Select((sum, i) =>
                    c.Saturated(MathF.Round((sum + bias[i % 9]) * (Factor(i) / c.Scale)) + c.ZeroPoint)).ToArray());
            }
            else
            {
                m.Case.Check(sums.Select((sum, i) => (sum + bias[i % 9]) * Factor(i)).ToArray());
            }
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Sums_become_floats_by_one_factor(Form form, bool signed, bool weightsSigned)
    {
        var m = new Matrices(form, signed, weightsSigned, 4, 21, 10);
        var bias = RandomData.Floats(10, 3);
        m.Case.Model.Constant("bias", bias, 10)
            .Node(Domain + "MatMulIntegerToFloat", ["a", "b", "as", "bs", "az", "bz", "bias"], ["y"]);
        m.Case.Check(m.Sums().Select((sum, i) => (sum * (m.ScaleA(i) * m.ScaleB(i))) + bias[i % 10]).ToArray());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Vectors_are_matrices_of_one_row_or_column(bool both)
    {
        var q = new QLinearCase(1, signed: false);
        var a = q.Input("a", 6);
        var b = q.Bytes(both ? 6 : 12);
        q.Model.Constant("b", b, both ? [6] : [6, 2]).Node("MatMulInteger", ["a", "b"], ["y"]);
        q.Check(Enumerable.Range(0, both ? 1 : 2)
            .Select(n => Enumerable.Range(0, 6).Sum(k => a[k] * b[both ? k : (k * 2) + n])).ToArray());
    }

    [Fact]
    public void Zero_points_that_do_not_fit_are_refused()
    {
        var e = Assert.Throws<NetworkException>(() => new OnnxBuilder().Bytes("a", true, 3, 4).Constant("b", new byte[8], 4, 2)
            .Constant("az", new sbyte[2], 2).Node("MatMulInteger", ["a", "b", "az"], ["y"]).Output("y").Read());
        Assert.Contains(
            "The zero point of the matrix int8 (3,4) is int8 (2); expected one number of its type, 3 of them, or (3,1)",
            e.Message,
            StringComparison.Ordinal);
    }

    /// <summary>Two matrices, or batches of them, with their scales and zero points.</summary>
    private sealed class Matrices
    {
        private readonly Form _form;
        private readonly int _rows;
        private readonly int _depth;
        private readonly int _columns;
        private readonly bool _turned;
        private readonly byte[] _a;
        private readonly byte[] _b;
        private readonly LinearNumbers[] _scaleA;
        private readonly LinearNumbers[] _scaleB;
        private readonly bool _signedB;

        public Matrices(Form form, bool signed, bool weightsSigned, int rows, int depth, int columns, bool turned = false)
        {
            (_form, _rows, _depth, _columns, _turned, _signedB) = (form, rows, depth, columns, turned, weightsSigned);
            Case = new QLinearCase(rows + depth, signed);
            var isComputed = form is Form.Computed or Form.Batch;
            int[] shapeA = form == Form.Batch ? [2, 1, rows, depth] : form == Form.Columns && !turned ? [2, rows, depth] : [rows, depth];
            int[] shapeB = turned ? [columns, depth] : form == Form.Batch ? [3, depth, columns] : [depth, columns];
            _a = Case.Input("a", shapeA);
            _b = Case.Bytes(shapeB.Aggregate(1, (x, y) => x * y));
            if (isComputed)
            {
                Case.Model.Bytes("b", weightsSigned, shapeB);
                Case.Inputs["b"] = _b;
            }
            else
            {
                Case.Model.ByteConstant("b", weightsSigned, _b, shapeB);
            }

            _scaleA = Scales("a", signed, form == Form.Rows ? rows : 1);
            _scaleB = Scales("b", weightsSigned, form == Form.Columns ? columns : 1);
            Batches = form == Form.Batch ? 6 : form == Form.Columns && !turned ? 2 : 1;
        }

        public QLinearCase Case { get; }

        public int Batches { get; }

        public float ScaleA(int i) => _scaleA[_scaleA.Length == 1 ? 0 : i / _columns % _rows].Scale;

        public float ScaleB(int i) => _scaleB[_scaleB.Length == 1 ? 0 : i % _columns].Scale;

        public int[] Sums()
        {
            var sums = new int[Batches * _rows * _columns];
            for (var i = 0; i < sums.Length; i++)
            {
                var (n, m, batch) = (i % _columns, i / _columns % _rows, i / _columns / _rows);
                var (first, second) = _form == Form.Batch ? (batch / 3, batch % 3) : (batch, 0);
                var (zeroA, zeroB) = (_scaleA[_scaleA.Length == 1 ? 0 : m], _scaleB[_scaleB.Length == 1 ? 0 : n]);
                for (var k = 0; k < _depth; k++)
                {
                    var b = _b[_turned ? (n * _depth) + k : (((second * _depth) + k) * _columns) + n];
                    var a = _a[(((first * _rows) + m) * _depth) + k];
                    sums[i] += (zeroA.Whole(a) - zeroA.ZeroPoint) * (zeroB.Whole(b) - zeroB.ZeroPoint);
                }
            }

            return sums;
        }

        private LinearNumbers[] Scales(string name, bool signed, int count)
        {
            var zeros = Case.Bytes(count);
            var numbers = zeros.Select((zero, i) => new LinearNumbers(signed, 0.01f * (i + 1), signed ? (sbyte)zero : zero)).ToArray();
            int[] shape = count == 1 ? [] : [count];
            Case.Model.Constant(name + "s", Array.ConvertAll(numbers, number => number.Scale), shape)
                .ByteConstant(name + "z", signed, zeros, shape);
            return numbers;
        }
    }
}
