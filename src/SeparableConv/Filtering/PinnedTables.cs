namespace SeparableConv.Filtering;

/// <summary>Holds the tables that a filter's loops point to: arrays that do not move as long as this object lives.</summary>
internal sealed unsafe class PinnedTables
{
    private readonly List<Array> _arrays = [];

    /// <summary>Copies numbers to a place that keeps its address.</summary>
    public T* Add<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        // Room for one at least, so that an empty table has an address too.
        var array = GC.AllocateArray<T>(Math.Max(1, values.Length), pinned: true);
        values.CopyTo(array);
        _arrays.Add(array);
        fixed (T* address = array)
            return address;
    }
}
