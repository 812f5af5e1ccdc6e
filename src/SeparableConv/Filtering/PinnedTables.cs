namespace SeparableConv.Filtering;

/// <summary>Arrays that never move, for as long as this object lives: the tables that a filter's loops point to.</summary>
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
