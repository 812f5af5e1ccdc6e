namespace SeparableConv.Tests.Separation;

public class KernelParserTests
{
    private static readonly double[] Article = [3, 6, 9, 4, 8, 12, 5, 10, 15];

    [Theory]
    [InlineData("3 6 9; 4 8 12; 5 10 15")]
    [InlineData("3,6,9;4,8,12;5,10,15")]
    [InlineData("3, 6, 9\n4, 8, 12\r\n5, 10, 15\n")]
    [InlineData("  3\t6 9 ;\n 4 8 12;5 10 15;  ")]
    [InlineData("# a comment, from np.savetxt\n3.0 6.0 9.0\n\n4 8 1.2e1\n# more\n5 10 15")]
    [InlineData("[[3,6,9],[4,8,12],[5,10,15]]")]
    [InlineData(" [ [3, 6, 9],\n [4, 8, 12],\n [5, 10, 1.5E1] ] ")]
    [InlineData("\uFEFF3 6 9; 4 8 12; 5 10 15")]
    public void Matrices_are_read_in_every_notation(string text)
    {
        var kernel = KernelParser.ParseText(text, "file.txt");
        Assert.Equal(new Size2D(3, 3), kernel.Size);
        Assert.Equal(Article, kernel.Values.ToArray());
        Assert.Equal("file.txt", kernel.Name);
        Assert.Equal(FilterKernel.DoubleEpsilon, kernel.Epsilon);
        Assert.Equal(Article, KernelParser.Parse(text).Values.ToArray());
    }

    // As spreadsheets save it, in countries with decimal points and with decimal commas.
    [Theory]
    [InlineData("0.5;1;-2\r\n4;0.25;8\r\n")]
    [InlineData("0,5;1;-2\r\n4;0,25;8\r\n")]
    [InlineData("\uFEFF0,5;1;-2;\n\n# comment\n4;0,25;8;\n")]
    [InlineData(" 0,5 ; 1 ; -2\n 4 ; 0,25 ; 8")]
    [InlineData("0,5;1,0;-2,0\n4,0;0,25;8,0")]
    [InlineData("0,5\t1\t-2\n4\t0,25\t8")]
    [InlineData("0.5\t1\t-2\n4\t0.25\t8\t")]
    [InlineData("0,5 1 -2\n4 0,25 8")]
    [InlineData("0.5,1,-2\n4,0.25,8")]
    [InlineData("\"0,5\",\"1\",\"-2\"\n\"4\",\"0,25\",\"8\"")]
    [InlineData("\"0.5\";\"1\";\"-2\"\n\"4\";\"0.25\";\"8\"")]
    [InlineData("\"0,5\";1;-2\n4;0.25;8")]
    [InlineData("1/2 1/1 -2/1; 8/2 1/4 8")]
    [InlineData("1/2;1;-2\n4;1/4;8")]
    [InlineData("1/2, 1, -2; 4, 1/4, 8")]
    [InlineData("0.5 1 -2;\n4 0.25 8;")]
    [InlineData("0.5,1,-2;\n4,0.25,8;")]
    public void Files_of_spreadsheets_are_read_as_they_are_meant(string text)
    {
        var kernel = KernelParser.ParseText(text, "file.txt");
        Assert.Equal(new Size2D(2, 3), kernel.Size);
        Assert.Equal([0.5, 1, -2, 4, 0.25, 8], kernel.Values.ToArray());
    }

    [Fact]
    public void A_single_line_has_rows_unless_it_is_a_csv_file()
    {
        Assert.Equal(new Size2D(3, 1), KernelParser.Parse("1;2;1").Size);
        Assert.Equal(new Size2D(3, 1), KernelParser.ParseText("1;2;1\n", "k.txt").Size);
        Assert.Equal(new Size2D(1, 3), KernelParser.ParseText("1;2;1\n", "k.csv").Size);
        Assert.Equal([0.5, 2, 1], KernelParser.ParseText("0,5;2;1\n", "k.csv").Values.ToArray());
        Assert.Equal(new Size2D(3, 3), KernelParser.ParseText("1 2 1;2 4 2;1 2 1", "k.csv").Size);
        Assert.Equal(new Size2D(2, 2), KernelParser.ParseText("0,1;1,0").Size);
        Assert.Equal(new Size2D(2, 2), KernelParser.ParseText("0,1\n1,0").Size);
        Assert.Equal(new Size2D(3, 1), KernelParser.ParseText("1;\n2;\n1;").Size);
    }

    [Theory]
    [InlineData("1,5 2 1,5", "'1,5' may be one number with a decimal comma or several")]
    [InlineData("1,2;3,4\n5,6;7,8", "'1,2' may be one number")]
    [InlineData("0,5 1,2,3", "may be one number")]
    [InlineData("0,5;1.5\n1;2", "'0,5' has a decimal comma and '1.5' a point")]
    [InlineData("0,5\t1.5\n1\t2", "'0,5' has a decimal comma and '1.5' a point")]
    [InlineData("1;;2\n3;4;5", "missing beside a semicolon in row 1")]
    [InlineData("1;2\n3", "row 2 has 1 numbers but row 1 has 2")]
    [InlineData("0,5;1;0,5", "row 2 has 1 numbers but row 1 has 2")]
    [InlineData("\"1;2\n3;4", "a quote is open")]
    [InlineData("1/0 1", "not a finite number")]
    [InlineData("1/ 1", "'1/' in row 1 is not a number")]
    [InlineData("1/2/3", "'1/2/3' in row 1 is not a number")]
    public void What_may_be_read_in_two_ways_is_refused(string text, string words) =>
        Assert.Contains(words, Assert.Throws<ArgumentException>(() => KernelParser.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("7", 1, 1)]
    [InlineData("-1 0 1", 1, 3)]
    [InlineData("+1;.5;-.5e-1", 3, 1)]
    [InlineData("[1,2,3]", 1, 3)]
    [InlineData("[[1],[2]]", 2, 1)]
    public void Rows_columns_and_single_numbers_are_kernels(string text, int height, int width) =>
        Assert.Equal(new Size2D(height, width), KernelParser.Parse(text).Size);

    [Theory]
    [InlineData("gauss", 5)]
    [InlineData("gauss:7", 7)]
    [InlineData("gauss:15:2.6", 15)]
    [InlineData("Gauss:15:2.6", 15)]
    [InlineData("gauss:sigma=2.6:size=15", 15)]
    [InlineData("gauss:15:sigma=2.6", 15)]
    [InlineData("gauss:sigma=1", 7)]
    [InlineData("gauss:2", 13)]
    [InlineData("gauss:2.6", 17)]
    [InlineData("gauss:0.5", 5)]
    [InlineData("log:2", 17)]
    [InlineData(" sobel-x : 7 ", 7)]
    [InlineData("sobel-y:5:dx=1:dy=2", 5)]
    public void Names_take_parameters_by_place_and_by_name(string text, int size) =>
        Assert.Equal(size, KernelParser.Parse(text).Height);

    [Fact]
    public void Parameters_reach_their_kernels()
    {
        Equal(KernelLibrary.Gauss(15, 2.6), "gauss:15:2.6");
        Equal(KernelLibrary.GaussFromSigma(2), "gauss:2");
        Equal(KernelLibrary.GaussFromSigma(3), "gauss:sigma=3");
        Equal(KernelLibrary.Box(4, 7), "box:4:7");
        Equal(KernelLibrary.Box(4), "box:4");
        Equal(KernelLibrary.Box(3, 7), "box:width=7");
        Equal(KernelLibrary.Sobel(1, 2, 5), "sobel-y:5:1:2");
        Equal(KernelLibrary.Motion(9, -45), "motion:9:-45");
        Equal(KernelLibrary.Disk(3.5), "disk:3.5");
        Equal(KernelLibrary.Gabor(9, 2, 30, 5, 0.7, 45), "gabor:9:2:30:5:0.7:45");
        Equal(KernelLibrary.Gabor(9, lambda: 6), "gabor:9:lambda=6");
        Equal(KernelLibrary.Emboss(2), "emboss:2");

        static void Equal(FilterKernel expected, string text)
        {
            Assert.Equal(expected.Size, KernelParser.Parse(text).Size);
            Assert.Equal(expected.Values.ToArray(), KernelParser.Parse(text).Values.ToArray());
            Assert.Equal(expected.Name, KernelParser.Parse(text).Name);
        }
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("  ;  ", "no numbers")]
    [InlineData("gaus:3", "did you mean 'gauss'", "box, gauss, sobel-x")]
    [InlineData("sobel", "did you mean 'sobel-x'")]
    [InlineData("bleh", "Known:")]
    [InlineData("gauss:3:1:2", "at most 2", "gauss[:size[:sigma]]")]
    [InlineData("gauss:sigmma=2", "no parameter 'sigmma'", "did you mean 'sigma'", "size, sigma")]
    [InlineData("gauss:size=4", "size is 4", "odd")]
    [InlineData("gauss:2:1.5", "size is 2", "odd")]
    [InlineData("gauss:3.5:1", "size is 3.5", "whole")]
    [InlineData("gauss:abc", "size is 'abc'", "number")]
    [InlineData("gauss:", "size is ''", "number")]
    [InlineData("gauss:3:nan", "sigma is 'nan'")]
    [InlineData("gauss:3:size=5", "size was given twice")]
    [InlineData("gauss:size=5:2", "follows a parameter with a name")]
    [InlineData("scharr-x:3", "takes no parameters", "'3'")]
    [InlineData("scharr-x:size=3", "takes no parameters", "'size'")]
    [InlineData("1 2; 3", "row 2 has 1 numbers but row 1 has 2")]
    [InlineData("1 2; 3 x", "'x' in row 2 is not a number")]
    [InlineData("1,,2", "missing beside a comma in row 1")]
    [InlineData("1,2,", "missing beside a comma")]
    [InlineData("nan 1", "not a finite number")]
    [InlineData("1 1e999", "not a finite number")]
    [InlineData("[[1,2],[3]]", "row 2 has 1 numbers but row 1 has 2")]
    [InlineData("[[1,2],[3,4]", "not valid JSON")]
    [InlineData("[[[1]]]", "rows of numbers")]
    [InlineData("[[1,\"2\"]]", "found String")]
    [InlineData("[[1,null]]", "found Null")]
    [InlineData("[[1e999]]", "not a finite number")]
    [InlineData("[]", "no numbers")]
    [InlineData("[[],[]]", "no numbers")]
    public void Faults_are_refused_with_a_remedy(string text, params string[] parts)
    {
        var message = Assert.Throws<ArgumentException>(() => KernelParser.Parse(text)).Message;
        Assert.All(parts, part => Assert.Contains(part, message));
    }

    [Fact]
    public void Files_are_refused_as_invalid_data()
    {
        var message = Assert.Throws<InvalidDataException>(() => KernelParser.ParseText("1 2\n3", "k.csv")).Message;
        Assert.StartsWith("k.csv: row 2", message);
        Assert.Throws<InvalidDataException>(() => KernelParser.ParseText("", "k.txt"));
        Assert.Throws<InvalidDataException>(() => KernelParser.ParseText("[[1]", "k.json"));
        Assert.Throws<InvalidDataException>(() => KernelParser.ParseText("gauss:3", "k.txt"));
    }

    [Fact]
    public void Sides_end_at_1023()
    {
        Assert.Equal(1023, KernelParser.Parse(string.Join(' ', Enumerable.Repeat("1", 1023))).Width);
        Assert.Equal(1023, KernelParser.Parse(string.Join(';', Enumerable.Repeat("1", 1023))).Height);
        Assert.Contains(
            "1023", Assert.Throws<ArgumentException>(() => KernelParser.Parse(string.Join(' ', Enumerable.Repeat("1", 1024)))).Message);
        Assert.Contains(
            "1023", Assert.Throws<ArgumentException>(() => KernelParser.Parse(string.Join(';', Enumerable.Repeat("1", 1024)))).Message);
    }
}
