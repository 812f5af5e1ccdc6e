namespace SeparableConv.Networks.Operators;

/// <summary>How boxes are decoded and which of them are kept.</summary>
/// <param name="MostDetections">Boxes to keep at most.</param>
/// <param name="ClassesPerDetection">Classes to name for each box where all are suppressed together.</param>
/// <param name="DetectionsPerClass">Boxes of one class at most where each class is suppressed by itself.</param>
/// <param name="SuppressesByClass">Whether each class is suppressed by itself.</param>
/// <param name="LeastScore">The score from which a box counts.</param>
/// <param name="MostOverlap">Intersection over union above which the box with the lower score goes.</param>
/// <param name="Classes">Classes without the background.</param>
/// <param name="ScaleY">What the encoded centre's y is divided by, and in that order x, height and width.</param>
/// <param name="ScaleX">For x.</param>
/// <param name="ScaleHeight">For the height.</param>
/// <param name="ScaleWidth">For the width.</param>
internal readonly record struct DetectionOptions(
    int MostDetections,
    int ClassesPerDetection,
    int DetectionsPerClass,
    bool SuppressesByClass,
    float LeastScore,
    float MostOverlap,
    int Classes,
    float ScaleY,
    float ScaleX,
    float ScaleHeight,
    float ScaleWidth);
