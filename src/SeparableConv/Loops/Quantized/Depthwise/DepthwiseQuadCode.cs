using static SeparableConv.Loops.X64Register;

namespace SeparableConv.Loops;

/// <summary>A run of columns of a row, for <see cref="DepthwiseQuadCode"/>.</summary>
internal unsafe struct DepthwiseQuadSegment
{
    /// <summary>The first column of each kernel row, at channel 0.</summary>
    public byte* Row0;

    public byte* Row1;

    public byte* Row2;

    /// <summary>Bytes from a column to the next.</summary>
    public nint Step0;

    public nint Step1;

    public nint Step2;

    /// <summary>Columns; at least one.</summary>
    public nint Columns;

    /// <summary>Where the first output that one of these columns completes goes, at channel 0.</summary>
    public byte* Target;

    /// <summary>Bytes from an output to the next.</summary>
    public nint TargetStep;
}

/// <summary>What <see cref="DepthwiseQuadCode"/> runs through.</summary>
internal unsafe struct DepthwiseQuadArguments
{
    public DepthwiseQuadSegment* Segments;

    public nint Count;

    /// <summary>The first of 64 channels.</summary>
    public nint Channel;
}

/// <summary>
/// Rows of a depthwise convolution of 3x3 over 64 channels, as instructions that are written at run time, as <see cref="ByteQuadCode"/> is
/// and for the same reason: a lane holds the three bytes of a kernel column, and one VPDPBUSD adds their products. Sums become bytes in
/// registers, in the way of <see cref="RoundingForm.Float"/>.
/// </summary>
/// <remarks>
/// Functions take the block's table, 25 vectors (<see cref="Vectors"/>), and <see cref="DepthwiseQuadArguments"/>. Sums pass from
/// segment to segment; a row begins with outputs of columns that do not complete one, which go where nobody looks. With a stride of 2
/// columns count as even and odd by turns, and a row has an even number of them, the last one without meaning.
/// </remarks>
internal sealed unsafe class DepthwiseQuadCode
{
    public const int Channels = 64;

    private const int VectorBytes = 64;

    // Registers.
    private const int Weights = 0;
    private const int One = 12;
    private const int Two = 16;
    private const int Temporary = 20;
    private const int Factors = 25;
    private const int ZeroPoint = 29;
    private const int Least = 30;
    private const int Most = 31;

    // The bytes of a column, four channels of every 16 in a register: see LoadColumn.
    private static readonly int[] Quads = [Temporary + 4, Temporary + 3, Temporary + 1, Temporary];

    private readonly X64Assembler _code = new();
    private readonly int _stride;
    private readonly bool _isInputSigned;
    private readonly bool _isOutputSigned;

    private DepthwiseQuadCode(int stride, bool isInputSigned, bool isOutputSigned) =>
        (_stride, _isInputSigned, _isOutputSigned) = (stride, isInputSigned, isOutputSigned);

    /// <summary>Where the vectors of a block's table stand, counted in vectors.</summary>
    public static class Vectors
    {
        /// <summary>Of 4 times 16 channels: channel 16*(i/4) + 4*q + i%4 in lane i of vector q.</summary>
        public const int Bias = 0;

        /// <summary>128 in each byte where the input is signed.</summary>
        public const int FlipInput = 4;

        public const int FlipOutput = 5;

        /// <summary>[kernel column][4]: three bytes of a lane, the fourth is 0.</summary>
        public const int Weights = 6;

        public const int Factors = 18;

        /// <summary>16-bit numbers, 128 more where the output is signed; so are the bounds, which are bytes.</summary>
        public const int ZeroPoint = 22;

        public const int Least = 23;

        public const int Most = 24;

        public const int Count = 25;
    }

    /// <summary>Whether this process has the functions.</summary>
    public static bool IsSupported => ByteQuadCode.IsSupported && Functions.Length > 0;

    // A trimmed program whose switch forbids them has nothing that writes them.
    private static nint[] Functions => ByteQuadCode.IsWanted ? Written.Functions : [];

    /// <summary>Runs through the segments of a block's rows.</summary>
    public static void Run(int stride, bool isInputSigned, bool isOutputSigned, float* table, DepthwiseQuadArguments* arguments)
    {
        var function = Functions[Index(stride, isInputSigned, isOutputSigned)];
        ((delegate* unmanaged[Cdecl]<float*, DepthwiseQuadArguments*, void>)function)(table, arguments);
    }

    private static int Index(int stride, bool isInputSigned, bool isOutputSigned) =>
        ((stride - 1) * 4) + (isInputSigned ? 2 : 0) + (isOutputSigned ? 1 : 0);

    private static nint Write(int stride, bool isInputSigned, bool isOutputSigned)
    {
        var writer = new DepthwiseQuadCode(stride, isInputSigned, isOutputSigned);
        writer.WriteAll();
        return (nint)ExecutableMemory.TryCreate(writer._code.Code, out _);
    }

    private void WriteAll()
    {
        foreach (var register in new[] { Rbx, R12, R13, R14 })
            _code.Push(register);
        LoadConstants();
        var segment = _code.Position;
        LoadSegment();
        _code.Align(32);
        var column = _code.Position;
        var (leave, odd) = (0, 0);
        LoadColumn();
        WriteOutput();
        BeginSums();
        if (_stride == 2)
        {
            _code.Subtract(Rcx, 1);
            leave = _code.JumpIfZero();
            odd = _code.Position;
            LoadColumn();
            for (var q = 0; q < 4; q++)
                _code.MultiplyAddBytes(One + q, Quads[q], Weights + 4 + q);
        }

        _code.Subtract(Rcx, 1);
        _code.JumpBackIfNotZero(column);
        NextSegment();
        _code.JumpBackIfNotZero(segment);
        foreach (var register in new[] { R14, R13, R12, Rbx })
            _code.Pop(register);
        _code.Return();
        if (_stride == 1)
            return;

        // A segment that ends with an even column: the next one begins with an odd one.
        _code.Land(leave);
        NextSegment();
        LoadSegment();
        _code.JumpBack(odd);
    }

    // The table's vectors but those that are read where they are needed, and the arguments.
    private void LoadConstants()
    {
        foreach (var (register, first, count) in new[]
        {
            (Weights, Vectors.Weights, 12), (Factors, Vectors.Factors, 4), (ZeroPoint, Vectors.ZeroPoint, 1), (Least, Vectors.Least, 1),
            (Most, Vectors.Most, 1),
        })
        {
            for (var i = 0; i < count; i++)
                _code.LoadVector(register + i, Table(first + i));
        }

        DepthwiseQuadArguments a = default;
        _code.Load(R11, new(Rsi, At(&a, &a.Segments)));
        _code.Load(R13, new(Rsi, At(&a, &a.Count)));
        _code.Load(R14, new(Rsi, At(&a, &a.Channel)));
    }

    // The column is the last but one of the next output's and the first of the one behind, or with a stride the first of the next.
    private void BeginSums()
    {
        for (var q = 0; q < 4; q++)
        {
            if (_stride == 1)
            {
                _code.Copy(One + q, Two + q);
                _code.MultiplyAddBytes(One + q, Quads[q], Weights + 4 + q);
            }

            var first = _stride == 1 ? Two : One;
            _code.LoadVector(first + q, Table(Vectors.Bias + q));
            _code.MultiplyAddBytes(first + q, Quads[q], Weights + q);
        }
    }

    private void NextSegment()
    {
        _code.Add(R11, sizeof(DepthwiseQuadSegment));
        _code.Subtract(R13, 1);
    }

    private void LoadSegment()
    {
        DepthwiseQuadSegment s = default;
        foreach (var (register, field) in new[]
        {
            (Rax, At(&s, &s.Row0)), (Rdx, At(&s, &s.Row1)), (Rsi, At(&s, &s.Row2)), (Rbx, At(&s, &s.Target)),
        })
        {
            _code.Load(register, new(R11, field));
            _code.LoadAddress(register, new(register, 0, R14));
        }

        foreach (var (register, field) in new[]
        {
            (R8, At(&s, &s.Step0)), (R9, At(&s, &s.Step1)), (R10, At(&s, &s.Step2)), (Rcx, At(&s, &s.Columns)),
            (R12, At(&s, &s.TargetStep)),
        })
            _code.Load(register, new(R11, field));
    }

    // Three vectors of bytes; lane i of Quads[q] then holds those of channel 16*(i/4) + 4*q + i%4, the last one twice.
    private void LoadColumn()
    {
        var (a, b, c, d, e) = (Temporary, Temporary + 1, Temporary + 2, Temporary + 3, Temporary + 4);
        foreach (var (vector, row, step) in new[] { (a, Rax, R8), (b, Rdx, R9), (c, Rsi, R10) })
        {
            _code.LoadVector(vector, new(row));
            _code.LoadAddress(row, new(row, 0, step));
            if (_isInputSigned)
                _code.Xor(vector, vector, Table(Vectors.FlipInput));
        }

        _code.UnpackLowBytes(d, a, b);
        _code.UnpackHighBytes(a, a, b);
        _code.UnpackLowBytes(b, c, c);
        _code.UnpackHighBytes(c, c, c);
        _code.UnpackLowPairs(e, d, b);
        _code.UnpackHighPairs(d, d, b);
        _code.UnpackLowPairs(b, a, c);
        _code.UnpackHighPairs(a, a, c);
    }

    private void WriteOutput()
    {
        for (var q = 0; q < 4; q++)
        {
            _code.MultiplyAddBytes(One + q, Quads[q], Weights + 8 + q);
            _code.ConvertToFloats(One + q, One + q);
            _code.MultiplyFloats(One + q, One + q, Factors + q);
            _code.ConvertToIntegers(One + q, One + q);
        }

        // Packing puts the channels into their order again.
        for (var q = 0; q < 4; q += 2)
        {
            _code.PackShorts(One + q, One + q, One + q + 1);
            _code.AddShorts(One + q, One + q, ZeroPoint);
        }

        _code.PackBytes(One, One, One + 2);
        _code.MaxBytes(One, One, Least);
        _code.MinBytes(One, One, Most);
        if (_isOutputSigned)
            _code.Xor(One, One, Table(Vectors.FlipOutput));
        _code.StoreVector(One, new(Rbx));
        _code.LoadAddress(Rbx, new(Rbx, 0, R12));
    }

    private static X64Address Table(int vector) => new(Rdi, vector * VectorBytes);

    private static int At(void* start, void* field) => (int)((byte*)field - (byte*)start);

    /// <summary>Writes the functions when they are first asked for; none where the system refuses one.</summary>
    private static class Written
    {
        public static nint[] Functions { get; } = WriteAll();

        private static nint[] WriteAll()
        {
            var functions = new nint[8];
            foreach (var stride in new[] { 1, 2 })
            {
                foreach (var isInputSigned in new[] { false, true })
                {
                    foreach (var isOutputSigned in new[] { false, true })
                        functions[Index(stride, isInputSigned, isOutputSigned)] = Write(stride, isInputSigned, isOutputSigned);
                }
            }

            return functions.Contains(0) ? [] : functions;
        }
    }
}
