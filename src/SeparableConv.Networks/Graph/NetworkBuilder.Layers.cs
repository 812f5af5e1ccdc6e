namespace SeparableConv.Networks;

/// <content>The layers that normalize, activate, pool, merge and reshape.</content>
public sealed partial class NetworkBuilder
{
    /// <summary>
    /// Every output sees every input of its row: y[..., o] = activation(bias[o] + sum over i of x[..., i] * kernel[i, o]).
    /// </summary>
    /// <param name="x">(N, ..., I).</param>
    /// <param name="units">O, 1 or more.</param>
    /// <param name="activation">What is applied to each sum; none by default.</param>
    /// <param name="useBias">Whether each output has a bias.</param>
    /// <param name="kernelInitializer">How the kernel (I, O) begins.</param>
    /// <param name="name">The layer's name; <c>dense</c> and so on by default.</param>
    /// <returns>(N, ..., units).</returns>
    /// <exception cref="NetworkException">Units is not positive, or the input has less than 2 dimensions.</exception>
    public Value Dense(
        Value x,
        int units,
        Activation? activation = null,
        bool useBias = true,
        Initializer kernelInitializer = Initializer.GlorotUniform,
        string? name = null)
    {
        const string Layer = "Dense";
        name = Name(name, "dense", Layer);
        CheckOwn(x, name, Layer);
        CheckPositive(name, Layer, "units", units);
        if (x.Shape.Rank < 2)
            throw Refusal(name, Layer, $"the input '{x.Name}' is {x.Type}; expected at least 2 dimensions (N, ..., channels).");
        var kernel = Weights(name, Layer, "kernel", kernelInitializer, [x.Shape[^1], units]);
        return Append(name, new DenseOperator(activation ?? SeparableConv.Activation.None), x, kernel, Bias(name, useBias, units));
    }

    /// <summary>
    /// Batch normalization along the last axis: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta, with the moving mean and
    /// variance.
    /// </summary>
    /// <param name="x">(N, ..., C).</param>
    /// <param name="epsilon">Above 0; 0.001 in Keras.</param>
    /// <param name="name">The layer's name; <c>batch_normalization</c> and so on by default.</param>
    /// <returns>The input's shape. All four vectors of C numbers count as parameters, as in Keras.</returns>
    /// <exception cref="NetworkException">Epsilon is not above 0 and finite, or the shape does not fit.</exception>
    public Value BatchNormalization(Value x, float epsilon = 1e-3f, string? name = null)
    {
        const string Layer = "BatchNormalization";
        name = Name(name, "batch_normalization", Layer);
        CheckOwn(x, name, Layer);
        if (x.Shape.Rank < 2)
            throw Refusal(name, Layer, $"the input '{x.Name}' is {x.Type}; expected at least 2 dimensions (N, ..., channels).");
        if (!(epsilon > 0 && float.IsFinite(epsilon)))
            throw Refusal(name, Layer, FormattableString.Invariant($"epsilon is {epsilon}; it must be above 0 and finite."));
        var channels = x.Shape[^1];
        return Append(
            name,
            new BatchNormalizationOperator(epsilon),
            x,
            Vector(name, "gamma", channels, 1),
            Vector(name, "beta", channels, 0),
            Vector(name, "moving_mean", channels, 0),
            Vector(name, "moving_variance", channels, 1));
    }

    /// <summary>An activation by itself; the last axis is the channels.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="activation">The function.</param>
    /// <param name="name">The layer's name; <c>activation</c> and so on by default.</param>
    /// <returns>The input's shape.</returns>
    /// <exception cref="NetworkException">The function has parameters for another number of channels.</exception>
    public Value Activation(Value x, Activation activation, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(activation);
        return Activated(x, activation, Name(name, "activation", "Activation"), "Activation");
    }

    /// <summary>y = max(0, x), or min(maxValue, max(0, x)).</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="maxValue">The greatest value, 0 or more; none by default. 6 gives MobileNet's ReLU6.</param>
    /// <param name="name">The layer's name; <c>re_lu</c> and so on by default.</param>
    /// <returns>The input's shape.</returns>
    /// <exception cref="NetworkException">The greatest value is below 0 or NaN.</exception>
    public Value ReLU(Value x, float? maxValue = null, string? name = null)
    {
        name = Name(name, "re_lu", "ReLU");
        if (maxValue is not (null or >= 0))
            throw Refusal(name, "ReLU", FormattableString.Invariant($"maxValue is {maxValue}; it must be 0 or more."));
        var activation = maxValue switch
        {
            null => SeparableConv.Activation.ReLU,
            6 => SeparableConv.Activation.ReLU6,
            { } greatest => SeparableConv.Activation.Clip(0, greatest),
        };
        return Activated(x, activation, name, "ReLU");
    }

    /// <summary>y = x where x is 0 or more, negativeSlope*x below.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="negativeSlope">Finite; 0.3 in Keras.</param>
    /// <param name="name">The layer's name; <c>leaky_re_lu</c> and so on by default.</param>
    /// <returns>The input's shape.</returns>
    /// <exception cref="NetworkException">The slope is not finite.</exception>
    public Value LeakyReLU(Value x, float negativeSlope = 0.3f, string? name = null)
    {
        name = Name(name, "leaky_re_lu", "LeakyReLU");
        return Activated(x, Checked(name, "LeakyReLU", () => SeparableConv.Activation.LeakyReLU(negativeSlope)), name, "LeakyReLU");
    }

    /// <summary>y_i = e^(x_i - m) / sum over k of e^(x_k - m) along an axis, m being the largest there.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="axis">The axis; the last by default.</param>
    /// <param name="name">The layer's name; <c>softmax</c> and so on by default.</param>
    /// <returns>The input's shape.</returns>
    /// <exception cref="NetworkException">There is no such axis.</exception>
    public Value Softmax(Value x, int axis = -1, string? name = null)
    {
        name = Name(name, "softmax", "Softmax");
        return Append(name, new SoftmaxOperator(Axis(x, axis, name, "Softmax")), x);
    }

    /// <summary>In a training, sets some inputs to 0 at random and scales the others up; here it gives its input.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="rate">The share that is dropped, 0 to 1.</param>
    /// <param name="name">The layer's name; <c>dropout</c> and so on by default.</param>
    /// <returns>The input's shape.</returns>
    /// <exception cref="NetworkException">The rate is not between 0 and 1.</exception>
    public Value Dropout(Value x, float rate, string? name = null)
    {
        name = Name(name, "dropout", "Dropout");
        CheckOwn(x, name, "Dropout");
        if (rate is not (>= 0 and <= 1))
            throw Refusal(name, "Dropout", FormattableString.Invariant($"rate is {rate}; it must be between 0 and 1."));
        return Append(name, new DropoutOperator(rate), x);
    }

    /// <summary>The mean of each window; positions in the border are not counted.</summary>
    /// <param name="x">(N, inH, inW, C).</param>
    /// <param name="poolSize">Height and width of the window; 2 by default.</param>
    /// <param name="strides">From one window to the next; the window's size by default.</param>
    /// <param name="padding">The border; none by default.</param>
    /// <param name="name">The layer's name; <c>average_pooling2d</c> and so on by default.</param>
    /// <returns>(N, outH, outW, C).</returns>
    /// <exception cref="NetworkException">A size is not positive, or the shapes do not fit.</exception>
    public Value AveragePooling2D(
        Value x, Size2D? poolSize = null, Size2D? strides = null, Padding padding = default, string? name = null) =>
        Pool(x, PoolKind.Average, poolSize ?? 2, strides, padding, Name(name, "average_pooling2d", "AveragePooling2D"), "AveragePooling2D");

    /// <summary>The largest of each window; positions in the border are never the largest.</summary>
    /// <inheritdoc cref="AveragePooling2D"/>
    /// <param name="x">(N, inH, inW, C).</param>
    /// <param name="poolSize">Height and width of the window; 2 by default.</param>
    /// <param name="strides">From one window to the next; the window's size by default.</param>
    /// <param name="padding">The border; none by default.</param>
    /// <param name="name">The layer's name; <c>max_pooling2d</c> and so on by default.</param>
    public Value MaxPooling2D(Value x, Size2D? poolSize = null, Size2D? strides = null, Padding padding = default, string? name = null) =>
        Pool(x, PoolKind.Max, poolSize ?? 2, strides, padding, Name(name, "max_pooling2d", "MaxPooling2D"), "MaxPooling2D");

    /// <summary>The mean of each channel.</summary>
    /// <param name="x">(N, height, width, C).</param>
    /// <param name="keepDims">Whether the two axes stay, with length 1.</param>
    /// <param name="name">The layer's name; <c>global_average_pooling2d</c> and so on by default.</param>
    /// <returns>(N, C), or (N, 1, 1, C).</returns>
    /// <exception cref="NetworkException">The input has not 4 dimensions.</exception>
    public Value GlobalAveragePooling2D(Value x, bool keepDims = false, string? name = null) =>
        GlobalPool(
            x, PoolKind.Average, keepDims, Name(name, "global_average_pooling2d", "GlobalAveragePooling2D"), "GlobalAveragePooling2D");

    /// <summary>The largest of each channel.</summary>
    /// <param name="x">(N, height, width, C).</param>
    /// <param name="keepDims">Whether the two axes stay, with length 1.</param>
    /// <param name="name">The layer's name; <c>global_max_pooling2d</c> and so on by default.</param>
    /// <returns>(N, C), or (N, 1, 1, C).</returns>
    /// <exception cref="NetworkException">The input has not 4 dimensions.</exception>
    public Value GlobalMaxPooling2D(Value x, bool keepDims = false, string? name = null) =>
        GlobalPool(x, PoolKind.Max, keepDims, Name(name, "global_max_pooling2d", "GlobalMaxPooling2D"), "GlobalMaxPooling2D");

    private Value Activated(Value x, Activation activation, string name, string layer)
    {
        CheckOwn(x, name, layer);
        return Append(name, new ActivationOperator(activation), x);
    }

    private Value Pool(Value x, PoolKind kind, Size2D poolSize, Size2D? strides, Padding padding, string name, string layer)
    {
        Image(x, name, layer);
        CheckSize(name, layer, "poolSize", poolSize);
        CheckSize(name, layer, "strides", strides ?? poolSize);
        var pool = new Pool2DOperator(
            kind, poolSize, strides ?? poolSize, 1, padding, ceilMode: false, countIncludePad: false, SeparableConv.Activation.None);
        return Append(name, pool, x);
    }

    private Value GlobalPool(Value x, PoolKind kind, bool keepDims, string name, string layer)
    {
        var shape = Image(x, name, layer);
        if (keepDims)
            return Append(name, new GlobalPoolOperator(kind), x);
        var pooled = Append($"{name}/pool", new GlobalPoolOperator(kind), x);
        return Append(name, new ReshapeOperator(new TensorShape(shape[0], shape[3])), pooled);
    }
}
