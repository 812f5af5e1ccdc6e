namespace SeparableConv.Loops;

/// <summary>Output pixels of one image: rows FirstRow up to and without EndRow, columns likewise.</summary>
internal readonly record struct OutputRectangle(int FirstRow, int EndRow, int FirstColumn, int EndColumn)
{
    public int Rows => EndRow - FirstRow;

    public int Columns => EndColumn - FirstColumn;
}
