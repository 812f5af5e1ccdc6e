namespace SeparableConv.Training;

/// <summary>What the learning rate is multiplied by from step to step.</summary>
public abstract record LearningRateSchedule
{
    private protected LearningRateSchedule()
    {
    }

    /// <summary>Always 1.</summary>
    public static LearningRateSchedule Constant { get; } = new ConstantSchedule();

    /// <summary>Times a factor after every so many epochs; PyTorch's StepLR.</summary>
    /// <param name="epochs">Epochs from one change to the next, at least 1.</param>
    /// <param name="factor">Above 0.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static LearningRateSchedule Step(int epochs, double factor = 0.1)
    {
        if (epochs < 1 || !(factor > 0 && double.IsFinite(factor)))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"A step every {epochs} epochs by {factor}; give 1 epoch or more and a factor above 0."));
        }


        return new StepSchedule(epochs, factor);
    }

    /// <summary>
    /// A rise in equal steps over the warm-up, then half a cosine: last + (1 - last) * (1 + cos(pi*t/T))/2, t of T steps behind the
    /// warm-up; PyTorch's CosineAnnealingLR behind a LinearLR.
    /// </summary>
    /// <param name="warmUp">The share of all steps that rise, 0 up to and without 1.</param>
    /// <param name="last">The factor at the end, 0 to 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    public static LearningRateSchedule Cosine(double warmUp = 0, double last = 0)
    {
        if (!(warmUp is >= 0 and < 1) || !(last is >= 0 and <= 1))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"A warm-up of {warmUp} and a last factor of {last}; both are shares from 0 to 1."));
        }


        return new CosineSchedule(warmUp, last);
    }

    /// <summary>
    /// Half a cosine from 1/25 up to 1, then half a cosine down to 1/250,000; PyTorch's OneCycleLR with its defaults, the rate as max_lr
    /// and without a cycle of the momentum. L. Smith and N. Topin, "Super-Convergence", 2018.
    /// </summary>
    /// <param name="rise">The share of all steps that rise, above 0 and below 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">The share is out of range.</exception>
    public static LearningRateSchedule OneCycle(double rise = 0.3)
    {
        if (!(rise is > 0 and < 1))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"The rate rises for {rise} of all steps; give a share above 0 and below 1."));
        }


        return new OneCycleSchedule(rise);
    }

    /// <summary>The factor of a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch, at least 1.</param>
    /// <param name="steps">Steps of the whole training.</param>
    /// <returns>What the rate is multiplied by.</returns>
    public abstract double Factor(long step, int stepsPerEpoch, long steps);

    /// <summary>The schedule and its numbers, the same in every language.</summary>
    /// <returns>For example <c>cosine rate (warm-up 0.1, last 0)</c>.</returns>
    public abstract override string ToString();

    // From one number to another along half a cosine, by a share of the way.
    private static double Anneal(double from, double to, double share) =>
        to + ((from - to) / 2 * (1 + Math.Cos(Math.PI * Math.Clamp(share, 0, 1))));

    private sealed record ConstantSchedule : LearningRateSchedule
    {
        public override double Factor(long step, int stepsPerEpoch, long steps) => 1;

        public override string ToString() => "constant rate";
    }

    private sealed record StepSchedule(int Epochs, double By) : LearningRateSchedule
    {
        public override double Factor(long step, int stepsPerEpoch, long steps) => Math.Pow(By, step / stepsPerEpoch / Epochs);

        public override string ToString() => FormattableString.Invariant($"rate times {By} every {Epochs} epochs");
    }

    private sealed record CosineSchedule(double WarmUp, double Last) : LearningRateSchedule
    {
        public override double Factor(long step, int stepsPerEpoch, long steps)
        {
            var rising = (long)(WarmUp * steps);
            return step < rising
                ? (step + 1.0) / (rising + 1)
                : Anneal(1, Last, (double)(step - rising) / Math.Max(1, steps - rising));
        }

        public override string ToString() => FormattableString.Invariant($"cosine rate (warm-up {WarmUp}, last {Last})");
    }

    private sealed record OneCycleSchedule(double Rise) : LearningRateSchedule
    {
        private const double First = 1.0 / 25;
        private const double End = First / 1e4;

        public override double Factor(long step, int stepsPerEpoch, long steps)
        {
            var peak = (Rise * steps) - 1;
            return step <= peak || steps <= 1
                ? Anneal(First, 1, peak <= 0 ? 1 : step / peak)
                : Anneal(1, End, (step - peak) / (steps - 1 - peak));
        }

        public override string ToString() => FormattableString.Invariant($"one cycle of the rate (rise {Rise})");
    }
}
