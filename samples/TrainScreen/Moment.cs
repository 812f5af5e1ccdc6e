namespace TrainScreen;

/// <summary>A step of the training.</summary>
/// <param name="Step">Which one, from 1.</param>
/// <param name="Loss">The mean loss of its pictures.</param>
/// <param name="Accuracy">The share of its pictures that the network told right.</param>
internal readonly record struct Moment(long Step, double Loss, double Accuracy);
