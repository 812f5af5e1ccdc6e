namespace SeparableConv.Loops;

/// <summary>A part of a parallel loop that is compiled once a vector width.</summary>
internal interface ISimdPartWork
{
    void Execute<TSimd, TVec>(int part)
        where TSimd : struct, ISimd<TVec>
        where TVec : struct;
}

/// <summary>Runs a part with the vectors of a width.</summary>
internal readonly struct SimdPart<TWork>(TWork work, int part) : ISimdWork
    where TWork : struct, ISimdPartWork
{
    public static void Run(SimdWidth width, in TWork work, int part)
    {
        var call = new SimdPart<TWork>(work, part);
        width.Dispatch(ref call);
    }

    public void Run<TSimd, TVec>()
        where TSimd : struct, ISimd<TVec>
        where TVec : struct => work.Execute<TSimd, TVec>(part);
}
