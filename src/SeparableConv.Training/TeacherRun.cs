using System.Runtime.InteropServices;
using SeparableConv.Loops;
using SeparableConv.Networks.Gradients;
using SeparableConv.Networks.Graph;
using SeparableConv.Networks.Rewriting;

namespace SeparableConv.Training;

/// <summary>A teacher, compiled for the batches of a training: pictures to logits.</summary>
internal sealed unsafe class TeacherRun : IDisposable
{
    private readonly InferenceSession _session;

    // What a picture is turned by where the teacher has its channels elsewhere: rows and columns of the transposed picture, or 0.
    private readonly int _rows;
    private readonly int _columns;

    /// <summary>Compiles a teacher.</summary>
    /// <param name="teacher">The network.</param>
    /// <param name="pictures">The input of the network that is trained, a batch.</param>
    /// <param name="classes">How many classes that network tells apart.</param>
    /// <param name="threads">Threads of a run.</param>
    /// <exception cref="ArgumentException">The teacher has not the same input and classes.</exception>
    /// <exception cref="NetworkException">It cannot be run.</exception>
    public TeacherRun(Network teacher, TensorType pictures, int classes, int threads)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        if (teacher.Inputs.Count != 1 || teacher.Outputs.Count != 1)
        {
            throw new ArgumentException(
                $"The teacher has {teacher.Inputs.Count} inputs and {teacher.Outputs.Count} outputs; give one with one of each.");
        }

        var batch = pictures.Shape[0];
        var network = WithoutSoftmax(teacher.WithBatch(batch));
        (_rows, _columns) = Turn(network.Inputs[0].Type, pictures);
        var scores = network.Outputs[0].Type;
        if (scores.Element != ElementType.Float32 || scores.Shape.ElementCount != (long)batch * classes)
        {
            throw new ArgumentException(
                $"The teacher's output is {teacher.Outputs[0]} but the network tells {classes} classes apart; give a teacher with one "
                + "float32 score for each of these.");
        }

        _session = new InferenceSession(network, new() { Threads = threads });
    }

    /// <summary>Bytes that a run works in, weights not counted.</summary>
    public long MemoryBytes => _session.Compiled.ActivationBytes + _session.Compiled.ScratchBytes;

    /// <summary>Computes the logits (N, classes) of a batch that lies as in the input of the network that is trained.</summary>
    public void Run(ReadOnlySpan<float> pictures, Span<float> logits)
    {
        var input = MemoryMarshal.Cast<byte, float>(_session.InputBytes(0));
        if (_rows == 0)
        {
            pictures.CopyTo(input);
        }
        else
        {
            fixed (float* from = pictures, to = input)
            {
                for (var at = 0; at < pictures.Length; at += _rows * _columns)
                    TransposeLoop.Run(from + at, _rows, to + at, _columns, _rows, _columns);
            }
        }

        _session.Run();
        MemoryMarshal.Cast<byte, float>(_session.OutputBytes(0)).CopyTo(logits);
    }

    public void Dispose() => _session.Dispose();

    private static Network WithoutSoftmax(Network network)
    {
        var split = PassList.Training.Run(network);
        var logits = TrainingGraph.Logits(split.Outputs[0]);
        return logits == split.Outputs[0] ? network : new GraphBuilder(split).Build(network.Name, logits);
    }

    private static (int Rows, int Columns) Turn(TensorType input, TensorType pictures)
    {
        if (input.Element == pictures.Element && input.Shape == pictures.Shape)
            return (0, 0);
        if (input.Element == pictures.Element && input.Shape.Rank == 4 && pictures.Shape.Rank == 4)
        {
            var (own, other) = (input.Shape, pictures.Shape);
            if (own[1] == other[3] && own[2] == other[1] && own[3] == other[2])
                return (own[1], own[2] * own[3]);
            if (own[3] == other[1] && own[1] == other[2] && own[2] == other[3])
                return (own[1] * own[2], own[3]);
        }

        throw new ArgumentException(
            $"The teacher's input is {input} but the network's is {pictures}; give a teacher that takes the same pictures.");
    }
}
