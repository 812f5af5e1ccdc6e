using System.Globalization;

namespace SeparableConv.Separation;

/// <summary>The parameters that a user wrote behind a kernel's name, checked against its definition.</summary>
internal sealed class KernelArguments
{
    private readonly KernelDefinition _definition;
    private readonly double?[] _values;
    private readonly int _positional;

    // texts are what stands between the colons: values in order, then key=value pairs.
    public KernelArguments(KernelDefinition definition, ReadOnlySpan<string> texts)
    {
        _definition = definition;
        _values = new double?[definition.Parameters.Count];
        var keyed = false;
        foreach (var text in texts)
        {
            var equals = text.IndexOf('=');
            if (equals >= 0)
            {
                keyed = true;
                Set(Find(text[..equals].Trim()), text[(equals + 1)..]);
                continue;
            }

            if (keyed)
                throw new ArgumentException(
                    $"{definition.Name}: '{text.Trim()}' follows a parameter with a name; "
                    + "write values without names first, or name all of them.");
            if (_positional == _values.Length)
            {
                throw new ArgumentException(_values.Length == 0
                    ? $"{definition.Name} takes no parameters but '{text.Trim()}' was given; remove it."
                    : $"{definition.Name} takes at most {_values.Length} parameters but more were given; write {definition.Syntax}.");
            }

            Set(_positional++, text);
        }
    }

    // Whether the only parameter given is the first, without its name.
    public bool IsSingleValue => _positional == 1 && _values.Count(v => v is not null) == 1;

    public double? Number(string parameter) => _values[Find(parameter)];

    public double Number(string parameter, double otherwise) => Number(parameter) ?? otherwise;

    public int Integer(string parameter, int otherwise)
    {
        var value = Number(parameter, otherwise);
        if (value != Math.Floor(value) || Math.Abs(value) > int.MaxValue)
            throw new ArgumentException($"{_definition.Name}: {parameter} is {value}; it must be a whole number.");
        return (int)value;
    }

    private void Set(int index, string text)
    {
        var parameter = _definition.Parameters[index];
        if (_values[index] is not null)
            throw new ArgumentException($"{_definition.Name}: {parameter.Name} was given twice; give it once.");
        if (!double.TryParse(text.AsSpan().Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            || !double.IsFinite(value))
            throw new ArgumentException($"{_definition.Name}: {parameter.Name} is '{text.Trim()}'; it must be a number such as 3 or 1.5.");
        _values[index] = value;
    }

    private int Find(string name)
    {
        for (var i = 0; i < _values.Length; i++)
        {
            if (string.Equals(_definition.Parameters[i].Name, name, StringComparison.OrdinalIgnoreCase))
                return i;
        }

        if (_values.Length == 0)
            throw new ArgumentException($"{_definition.Name} takes no parameters but '{name}' was given; remove it.");
        var known = string.Join(", ", _definition.Parameters.Select(p => p.Name));
        var nearest = NearestWord.Find(name, _definition.Parameters.Select(p => p.Name));
        throw new ArgumentException($"{_definition.Name} has no parameter '{name}'; did you mean '{nearest}'? It has: {known}.");
    }
}
