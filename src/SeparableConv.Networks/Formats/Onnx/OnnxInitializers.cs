using SeparableConv.Networks.Formats.Onnx.Schema;

namespace SeparableConv.Networks.Formats.Onnx;

/// <summary>The tensors that a model stores, its branches' among them. Each is read when it is first asked for.</summary>
internal sealed class OnnxInitializers(ExternalData? external)
{
    private readonly Dictionary<string, TensorProto> _stored = [];
    private readonly Dictionary<string, TensorData> _read = [];

    /// <summary>Whether there is one of that name.</summary>
    public bool Contains(string name) => _stored.ContainsKey(name);

    /// <summary>Adds one; false where there is another of that name.</summary>
    public bool TryAdd(string name, TensorProto tensor) => _stored.TryAdd(name, tensor);

    /// <summary>The numbers of a stored tensor; null where there is none of that name.</summary>
    public TensorData? Find(string name)
    {
        if (_read.TryGetValue(name, out var known))
            return known;
        if (!_stored.TryGetValue(name, out var tensor))
            return null;
        var data = OnnxTensors.Read(tensor, external);

        // The network has the numbers now; the file's copy need not stay as long as the reading lasts.
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        return _read[name] = data;
    }
}
