namespace SeparableConv.Training.Data;

/// <summary>A straight line between two points.</summary>
internal readonly struct Edge
{
    private readonly double _x;
    private readonly double _y;
    private readonly double _endY;
    private readonly double _toX;
    private readonly double _toY;
    private readonly double _inverseSquare;

    public Edge(double x, double y, (double X, double Y) end)
    {
        (_x, _y, _endY, _toX, _toY) = (x, y, end.Y, end.X - x, end.Y - y);
        _inverseSquare = 1 / ((_toX * _toX) + (_toY * _toY));
    }

    /// <summary>The square of how far a point is from the line.</summary>
    public double SquaredDistance(double x, double y)
    {
        var (fromX, fromY) = (x - _x, y - _y);
        var along = Math.Clamp(((fromX * _toX) + (fromY * _toY)) * _inverseSquare, 0, 1);
        var (offX, offY) = (fromX - (along * _toX), fromY - (along * _toY));
        return (offX * offX) + (offY * offY);
    }

    /// <summary>Whether a ray from a point to the right crosses the line.</summary>
    public bool IsRightOf(double x, double y) =>
        _y > y != _endY > y && (x - _x) * Math.Abs(_toY) < (_toY > 0 ? y - _y : _y - y) * _toX;
}
