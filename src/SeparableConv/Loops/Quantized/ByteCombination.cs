namespace SeparableConv.Loops;

/// <summary>Makes a run of bytes of two others, as the sum around a block is made of its output and its shortcut.</summary>
/// <param name="first">The first operand.</param>
/// <param name="second">The second one.</param>
/// <param name="output">The result; it may lie where an operand lies.</param>
/// <param name="count">Bytes of each.</param>
internal unsafe delegate void ByteCombination(byte* first, byte* second, byte* output, nint count);
