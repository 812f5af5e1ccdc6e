using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace SeparableConv.Cli.Options;

/// <summary>Makes options and parses their values. A malformed value is an error of usage that says what would be right.</summary>
internal static class OptionValues
{
    /// <summary>Makes an option whose value has a form of its own.</summary>
    /// <param name="name">The name with its dashes.</param>
    /// <param name="form">How the value is written, for the help text: <c>SxS</c>.</param>
    /// <param name="description">What the option does, in one line.</param>
    /// <param name="parse">Throws <see cref="FormatException"/> or <see cref="ArgumentException"/> for a value that is malformed.</param>
    public static Option<T> Parsed<T>(string name, string form, string description, Func<string, T> parse) => new(name)
    {
        HelpName = form,
        Description = description,
        CustomParser = result => Parse(result, name, parse),
        Arity = ArgumentArity.ExactlyOne,
    };

    /// <summary>Makes an option with a whole number of at least <paramref name="least"/>.</summary>
    public static Option<int?> WholeNumber(string name, string form, string description, int least) =>
        Parsed<int?>(name, form, description, text => WholeNumber(text, least));

    /// <summary>Makes an option with a finite number.</summary>
    public static Option<double?> Number(string name, string form, string description, double least = double.NegativeInfinity) =>
        Parsed<double?>(name, form, description, text => Number(text, least));

    /// <summary>Makes an option that may be given several times, each time with a value in a form of its own.</summary>
    /// <inheritdoc cref="Parsed"/>
    public static Option<T[]> Several<T>(string name, string form, string description, Func<string, T> parse) => new(name)
    {
        HelpName = form,
        Description = description,
        CustomParser = result => [.. result.Tokens.Select(token => Parse(result, name, token.Value, parse)).OfType<T>()],
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Refuses an argument that looks like a misspelled option; a single - and numbers below zero do not.</summary>
    public static void RefuseUnknownOptions(ArgumentResult result)
    {
        foreach (var token in result.Tokens)
        {
            if (token.Value is ['-', '-', ..] or ['-', >= 'A' and <= 'z', ..])
            {
                result.AddError($"There is no option {token.Value}; a file of that name is written ./{token.Value}.");
                return;
            }
        }
    }

    /// <summary>Runs a parser and reports what it throws as an error of the option or argument.</summary>
    public static T? Parse<T>(ArgumentResult result, string name, Func<string, T> parse) =>
        Parse(result, name, result.Tokens[0].Value, parse);

    private static T? Parse<T>(ArgumentResult result, string name, string text, Func<string, T> parse)
    {
        try
        {
            return parse(text);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            result.AddError($"{name}: {Failure.Describe(e)}");
            return default;
        }
    }

    /// <summary>Reads <c>5x3</c> (height, width) or <c>5</c> for both.</summary>
    public static Size2D Size(string text)
    {
        var numbers = text.Split('x', 'X');
        if (numbers.Length > 2 || !Array.TrueForAll(numbers, IsPositive))
            throw new FormatException($"'{text}' is no size; write N or HxW in whole numbers from 1 up, such as 3 or 5x3.");
        return new Size2D(Integer(numbers[0]), Integer(numbers[^1]));
    }

    /// <summary>Reads <c>valid</c>, <c>same</c>, <c>same-lower</c> or four numbers <c>T,B,L,R</c>.</summary>
    public static Padding Padding(string text)
    {
        switch (text.ToLowerInvariant())
        {
            case "valid":
                return SeparableConv.Padding.Valid;
            case "same":
                return SeparableConv.Padding.Same;
            case "same-lower":
                return SeparableConv.Padding.SameLower;
        }

        var sides = text.Split(',');
        if (sides.Length != 4 || !Array.TrueForAll(sides, s => TryInteger(s, out var side) && side >= 0))
        {
            throw new FormatException(
                $"'{text}' is no padding; write valid, same, same-lower or T,B,L,R in whole numbers from 0 up, such as 1,1,0,0.");
        }

        return SeparableConv.Padding.Explicit(Integer(sides[0]), Integer(sides[1]), Integer(sides[2]), Integer(sides[3]));
    }

    /// <summary>Reads a border: its name, <c>constant</c> with an optional <c>:V</c>.</summary>
    public static (BorderMode Mode, double Value) Border(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var name = (colon < 0 ? text : text[..colon]).ToLowerInvariant();
        if (name == "constant")
            return (BorderMode.Constant, colon < 0 ? 0 : Number(text[(colon + 1)..], double.NegativeInfinity));
        var mode = name switch
        {
            _ when colon >= 0 => (BorderMode?)null,
            "reflect101" or "reflect-101" => BorderMode.Reflect101,
            "reflect" => BorderMode.Reflect,
            "replicate" => BorderMode.Replicate,
            "wrap" => BorderMode.Wrap,
            _ => null,
        };
        return (mode ?? throw new FormatException($"'{text}' is no border; use reflect101, reflect, replicate, wrap or constant[:V]."), 0);
    }

    /// <summary>Reads numbers with commas between: <c>123.675,116.28,103.53</c>.</summary>
    public static double[] Numbers(string text) => Array.ConvertAll(text.Split(','), number => Number(number, double.NegativeInfinity));

    /// <summary>Reads lengths with an x between: <c>1x3x224x224</c>.</summary>
    public static int[] Lengths(string text)
    {
        var lengths = text.Split('x', 'X');
        if (!Array.TrueForAll(lengths, IsPositive))
            throw new FormatException($"'{text}' is no shape; write whole numbers from 1 up, such as 1x3x224x224.");
        return Array.ConvertAll(lengths, Integer);
    }

    /// <summary>Reads a whole number.</summary>
    public static int WholeNumber(string text, int least)
    {
        if (!TryInteger(text, out var value) || value < least)
            throw new FormatException($"'{text}' is no whole number from {least} up.");
        return value;
    }

    /// <summary>Reads a finite number, with a point and no other separators.</summary>
    public static double Number(string text, double least)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            throw new FormatException($"'{text}' is no finite number.");
        if (value < least)
            throw new FormatException($"'{text}' is less than {least.ToString(CultureInfo.InvariantCulture)}.");
        return value;
    }

    private static bool IsPositive(string text) => TryInteger(text, out var value) && value > 0;

    private static int Integer(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static bool TryInteger(string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}
