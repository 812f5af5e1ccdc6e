namespace SeparableConv.Networks.Formats.TFLite;

/// <summary>
/// The variables of a model: which tensor names which, and what each holds behind the operators that were read so far. One that is read
/// before it is written is a state of the network.
/// </summary>
internal sealed class TFLiteVariables(GraphBuilder graph)
{
    private readonly Dictionary<TFLiteTensor, string> _handles = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, TensorData> _initial = [];
    private readonly Dictionary<string, Value> _held = [];
    private readonly List<(string Name, Value Current, TensorData Initial)> _states = [];
    private int _frozen;

    /// <summary>Whether what is assigned is what the first run reads: while a graph is read that is run once.</summary>
    public bool IsInitializing { get; set; }

    /// <summary>Notes that a tensor stands for a variable.</summary>
    public void Name(TFLiteTensor handle, string variable) => _handles[handle] = variable;

    /// <summary>The variable that a tensor stands for; null where it stands for none.</summary>
    public string? Find(TFLiteTensor handle) => _handles.GetValueOrDefault(handle);

    /// <summary>What a variable holds: zeros of a type, where nothing was ever assigned.</summary>
    public Value Read(string variable, TensorType type)
    {
        if (_held.TryGetValue(variable, out var held))
            return held;
        if (!_initial.TryGetValue(variable, out var initial))
            initial = TensorData.CreateZeros(type);
        var current = graph.State(variable, initial.Type);
        _states.Add((variable, current, initial));
        return _held[variable] = current;
    }

    /// <summary>Gives a variable another value.</summary>
    /// <exception cref="ArgumentException">
    /// It would be assigned in a branch, or have another type, or is not known when it has to be.
    /// </exception>
    public void Assign(string variable, Value value)
    {
        if (_frozen > 0)
            throw new ArgumentException($"The variable '{variable}' is assigned in a branch that is only chosen while the model runs.");
        if (IsInitializing)
        {
            _initial[variable] = value.Constant
                ?? throw new ArgumentException($"What the variable '{variable}' begins with, '{value.Name}', is no constant.");
            return;
        }

        if (_held.TryGetValue(variable, out var held) && (held.Type.Element != value.Type.Element || held.Shape != value.Shape))
            throw new ArgumentException($"The variable '{variable}' is {held.Type} and is assigned {value.Type}; both must be the same.");
        _held[variable] = value;
    }

    /// <summary>Reads operators that must not assign: both of two branches are computed, whichever is chosen.</summary>
    public T Unassigned<T>(Func<T> read)
    {
        _frozen++;
        try
        {
            return read();
        }
        finally
        {
            _frozen--;
        }
    }

    /// <summary>What the network remembers.</summary>
    public NetworkState[] States() =>
        [.. _states.Select(state => new NetworkState(state.Current, _held[state.Name], state.Initial))];
}
