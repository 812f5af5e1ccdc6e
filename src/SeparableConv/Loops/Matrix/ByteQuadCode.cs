using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using static SeparableConv.Loops.X64Register;

namespace SeparableConv.Loops;

/// <summary>
/// <see cref="MatrixTile"/> for <see cref="LaneKind.ByteQuad"/> on 512 bits, as instructions that are written at run time: .NET 10 offers
/// the multiplication of four bytes with an addition (VPDPBUSD) on 128 and 256 bits only, where it does half as much.
/// </summary>
/// <remarks>
/// The tiles exist on Linux, on processors with AVX512-VNNI (Intel from Ice Lake, AMD from Zen 4), where <see cref="IsWanted"/> and where
/// the system lets a process make memory executable. <see cref="Missing"/> says why they do not exist elsewhere. Only registers that a call
/// may change are used, but for rbx, which is restored. Tiles call nothing, and touch only the memory that their arguments name.
/// Measured on Zen 5, sums alone: 690 GOP/s on 12544x32x64, 905 on 196x512x512, beside 350 with pairs of 16-bit numbers.
/// <para>
/// This class, <see cref="DepthwiseQuadCode"/> and <c>MachineCode/</c> are to be removed when the project targets a .NET with
/// <c>AvxVnni.V512</c>, requested in
/// dotnet/runtime issue 86849 and merged after .NET 10 by its pull request 128365: <see cref="Integers512"/> then multiplies four bytes
/// like the other widths.
/// </para>
/// </remarks>
internal sealed unsafe class ByteQuadCode
{
    private const int VectorBytes = 64;
    private const int VectorRegisters = 32;
    private const int MostVectors = 3;

    private readonly nint[] _tiles;

    private ByteQuadCode(nint[] tiles, string? missing) => (_tiles, Missing) = (tiles, missing);

    /// <summary>
    /// Whether instructions may be written at run time: the AppContext switch SeparableConv.MachineCode; where that is not set, whether
    /// the runtime itself compiles at run time, which it does not under NativeAOT.
    /// </summary>
    /// <remarks>A trimmed program whose switch is set to false at build time has neither the tiles nor what writes them.</remarks>
    [FeatureSwitchDefinition("SeparableConv.MachineCode")]
    public static bool IsWanted =>
        AppContext.TryGetSwitch("SeparableConv.MachineCode", out var isWanted) ? isWanted : RuntimeFeature.IsDynamicCodeCompiled;

    /// <summary>Whether this process has the tiles.</summary>
    public static bool IsSupported => IsWanted && Written.Shared.Missing is null;

    /// <summary>The process's tiles, or why there are none.</summary>
    public static ByteQuadCode Shared => IsWanted ? Written.Shared : new([], WhyNot(isWanted: false));

    /// <summary>Accumulators: what <see cref="MatrixTileTable"/> cuts rows by.</summary>
    public const int Accumulators = 28;

    /// <summary>
    /// The tiles, by vectors and rows as in <see cref="MatrixTileTable"/>: functions of the system's own calling convention that take
    /// <see cref="TileArguments"/>, and use neither bounds nor fetches. Empty where they are missing.
    /// </summary>
    public ReadOnlySpan<nint> Tiles => _tiles;

    /// <summary>Why there are no tiles, as a sentence; null where there are.</summary>
    public string? Missing { get; }

    /// <summary>Writes the tiles.</summary>
    /// <param name="isWanted">What the switch says.</param>
    /// <param name="protect">Stands for the system's mprotect, of which tests want refusals.</param>
    internal static ByteQuadCode Write(bool isWanted, Func<nint, nuint, int, int>? protect = null)
    {
        if (WhyNot(isWanted) is { } missing)
            return new([], missing);

        var assembler = new X64Assembler();
        var tiles = new nint[MostVectors * MatrixTile.MostRows];
        Array.Fill(tiles, -1);
        for (var vectors = 1; vectors <= MostVectors; vectors++)
        {
            for (var rows = 1; rows <= Math.Min(MatrixTile.MostRows, Accumulators / vectors); rows++)
            {
                assembler.Align(64);
                tiles[((vectors - 1) * MatrixTile.MostRows) + rows - 1] = assembler.Position;
                WriteTile(assembler, rows, vectors);
            }
        }

        var memory = ExecutableMemory.TryCreate(assembler.Code, out var refusal, protect);
        if (memory == null)
            return new([], refusal);
        foreach (ref var tile in tiles.AsSpan())
            tile = tile < 0 ? 0 : (nint)memory + tile;
        return new(tiles, null);
    }

    // The reason without the tiles: what a trimmed program keeps of this class.
    private static string? WhyNot(bool isWanted)
    {
        if (!X86Base.X64.IsSupported)
            return "AVX512-VNNI is an instruction set of x86-64 processors.";
        if (!Avx512F.IsSupported)
            return ".NET uses no vectors of 512 bits on this processor.";

        // Leaf 7, ecx bit 11. That the system keeps 512-bit registers is known from AVX512F.
        if (X86Base.CpuId(0, 0).Eax < 7 || (X86Base.CpuId(7, 0).Ecx & (1 << 11)) == 0)
            return "The processor has no AVX512-VNNI.";
        if (!OperatingSystem.IsLinux())
            return ".NET 10 has no AVX512-VNNI, and instructions are written at run time on Linux only.";
        if (isWanted)
            return null;
        return RuntimeFeature.IsDynamicCodeCompiled
            ? ".NET 10 has no AVX512-VNNI, and the switch SeparableConv.MachineCode forbids instructions written at run time."
            : ".NET 10 has no AVX512-VNNI, and a program compiled ahead of time writes no instructions "
                + "unless SeparableConv.MachineCode is true.";
    }

    private static void WriteTile(X64Assembler code, int rows, int vectors)
    {
        // Accumulators first, then the weights of a step, then what is broadcast, in turn.
        var argument = new Arguments();
        var weights = rows * vectors;
        var left = weights + vectors;
        var lefts = Math.Min(VectorRegisters - left, rows);

        code.Push(Rbx);
        code.Load(Rcx, argument.Bias);
        for (var v = 0; v < vectors; v++)
            code.LoadVector(v, new(Rcx, v * VectorBytes));
        for (var r = 1; r < rows; r++)
        {
            for (var v = 0; v < vectors; v++)
                code.Copy((r * vectors) + v, v);
        }

        // r8, r9, r10: one, three and five times the bytes from row to row. rax is row 0, rdx row 7.
        code.Load(R8, argument.RowStride);
        code.LoadAddress(R8, new(R8, 0, R8));
        code.LoadAddress(R8, new(R8, 0, R8));
        code.LoadAddress(R9, new(R8, 0, R8, 2));
        code.LoadAddress(R10, new(R8, 0, R8, 4));
        code.Load(R11, argument.Panel);
        code.Load(Rsi, argument.SegmentOffsets);
        code.LoadInt32(Rbx, argument.Segments);

        var segment = code.Position;
        code.Load(Rcx, new(Rsi));
        code.Load(Rax, argument.Left);
        code.LoadAddress(Rax, new(Rax, 0, Rcx, 4));
        if (rows > 7)
        {
            code.LoadAddress(Rdx, new(Rax, 0, R9, 2));
            code.LoadAddress(Rdx, new(Rdx, 0, R8));
        }

        code.LoadInt32(Rcx, argument.SegmentLength);
        code.Align(16);
        var step = code.Position;
        for (var v = 0; v < vectors; v++)
            code.LoadVector(weights + v, new(R11, v * VectorBytes));
        for (var r = 0; r < rows; r++)
        {
            var x = left + (r % lefts);
            code.Broadcast(x, Row(r));
            for (var v = 0; v < vectors; v++)
                code.MultiplyAddBytes((r * vectors) + v, x, weights + v);
        }

        code.Add(Rax, sizeof(int));
        if (rows > 7)
            code.Add(Rdx, sizeof(int));
        code.Add(R11, vectors * VectorBytes);
        code.Subtract(Rcx, 1);
        code.JumpBackIfNotZero(step);
        code.Add(Rsi, sizeof(long));
        code.Subtract(Rbx, 1);
        code.JumpBackIfNotZero(segment);

        code.Load(Rcx, argument.Output);
        code.Load(R8, argument.OutputStride);
        code.Load(R9, argument.LastVectorOffset);
        for (var r = 0; r < rows; r++)
        {
            for (var v = 0; v < vectors; v++)
            {
                var target = v == 0 ? new X64Address(Rcx) : v < vectors - 1 ? new(Rcx, v * VectorBytes) : new(Rcx, 0, R9, sizeof(int));
                code.StoreVector((r * vectors) + v, target);
            }

            code.LoadAddress(Rcx, new(Rcx, 0, R8, sizeof(int)));
        }

        code.Pop(Rbx);
        code.Return();
    }

    private static X64Address Row(int r)
    {
        var start = r < 7 ? Rax : Rdx;
        return (r % 7) switch
        {
            0 => new(start),
            1 => new(start, 0, R8),
            2 => new(start, 0, R8, 2),
            3 => new(start, 0, R9),
            4 => new(start, 0, R8, 4),
            5 => new(start, 0, R10),
            _ => new(start, 0, R9, 2),
        };
    }

    /// <summary>Writes the tiles when they are first asked for; trimming drops it with the only branches that name it.</summary>
    private static class Written
    {
        public static ByteQuadCode Shared { get; } = Write(isWanted: true);
    }

    /// <summary>Where rdi has the fields of <see cref="TileArguments"/>.</summary>
    private readonly struct Arguments
    {
        public Arguments()
        {
            TileArguments a = default;
            (Left, RowStride) = (At(&a, &a.Left), At(&a, &a.RowStride));
            (SegmentOffsets, Segments, SegmentLength) = (At(&a, &a.SegmentOffsets), At(&a, &a.Segments), At(&a, &a.SegmentLength));
            (Panel, Bias) = (At(&a, &a.Panel), At(&a, &a.Bias));
            (Output, OutputStride, LastVectorOffset) = (At(&a, &a.Output), At(&a, &a.OutputStride), At(&a, &a.LastVectorOffset));
        }

        public X64Address Left { get; }

        public X64Address RowStride { get; }

        public X64Address SegmentOffsets { get; }

        public X64Address Segments { get; }

        public X64Address SegmentLength { get; }

        public X64Address Panel { get; }

        public X64Address Bias { get; }

        public X64Address Output { get; }

        public X64Address OutputStride { get; }

        public X64Address LastVectorOffset { get; }

        private static X64Address At(TileArguments* start, void* field) => new(Rdi, (int)((byte*)field - (byte*)start));
    }
}
