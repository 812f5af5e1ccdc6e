using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>
/// The tensors that a model stores, its branches' among them. Each is read when it is first asked for, from any thread: sessions that run
/// the same nodes (<see cref="OnnxRunTimeGraph"/>) share them.
/// </summary>
internal sealed class OnnxInitializers(ExternalData? external)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (TensorProto Tensor, bool Keeps)> _stored = [];
    private readonly Dictionary<string, TensorData> _read = [];

    /// <summary>Whether there is one of that name.</summary>
    public bool Contains(string name)
    {
        lock (_lock)
            return _stored.ContainsKey(name);
    }

    /// <summary>Adds one; false where there is another of that name.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="tensor">As stored.</param>
    /// <param name="keeps">Whether the file's copy is kept when it was read, as where the tensor may be read again in a run.</param>
    public bool TryAdd(string name, TensorProto tensor, bool keeps = false)
    {
        lock (_lock)
            return _stored.TryAdd(name, (tensor, keeps));
    }

    /// <summary>The numbers of a stored tensor; null where there is none of that name.</summary>
    public TensorData? Find(string name)
    {
        lock (_lock)
        {
            if (_read.TryGetValue(name, out var known))
                return known;
            if (!_stored.TryGetValue(name, out var stored))
                return null;
            var data = OnnxTensors.Read(stored.Tensor, external);

            // The network has the numbers now; the file's copy need not stay as long as the reading lasts.
            if (!stored.Keeps)
            {
                stored.Tensor.ClearRawData();
                stored.Tensor.FloatData.Clear();
            }

            return _read[name] = data;
        }
    }
}
