namespace SeparableConv.Tests.Networks.Formats;

/// <summary>ONNX's own backend tests, all that lie in the shared data.</summary>
public class OnnxBackendTests(ITestOutputHelper log)
{
    private const int Passing = 199;

    // What the reader must refuse, and the words that say why.
    private static readonly Dictionary<string, string> Refused = new()
    {
        ["node/test_averagepool_3d_default"] = "three spatial axes",
        ["node/test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False"] = "three spatial axes",
        ["node/test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True"] = "three spatial axes",
        ["node/test_averagepool_3d_dilations_small"] = "three spatial axes",
        ["node/test_batchnorm_example_training_mode"] = "training_mode",
        ["node/test_convtranspose_3d"] = "three spatial axes",
        ["node/test_dequantizelinear_blocked"] = "scales of blocks",
        ["node/test_dequantizelinear_e4m3fn_float16"] = "float8",
        ["node/test_dequantizelinear_e5m2"] = "float8",
        ["node/test_dequantizelinear_float4e2m1"] = "float4",
        ["node/test_dequantizelinear_int2"] = "int2",
        ["node/test_dequantizelinear_int4"] = "int4",
        ["node/test_dequantizelinear_uint4"] = "uint4",
        ["node/test_maxpool_3d_default"] = "three spatial axes",
        ["node/test_maxpool_3d_dilations"] = "three spatial axes",
        ["node/test_maxpool_3d_dilations_use_ref_impl"] = "three spatial axes",
        ["node/test_quantizelinear_blocked_asymmetric"] = "scales of blocks",
        ["node/test_quantizelinear_blocked_symmetric"] = "scales of blocks",
        ["node/test_quantizelinear_e4m3fn"] = "float8",
        ["node/test_quantizelinear_int2"] = "int2",
        ["node/test_quantizelinear_uint4"] = "uint4",
        ["pytorch-converted/test_AvgPool3d_stride"] = "three spatial axes",
        ["pytorch-converted/test_AvgPool3d_stride1_pad0_gpu_input"] = "three spatial axes",
        ["pytorch-converted/test_Conv3d"] = "three spatial axes",
        ["pytorch-converted/test_Conv3d_groups"] = "three spatial axes",
        ["pytorch-converted/test_Conv3d_no_bias"] = "three spatial axes",
        ["pytorch-converted/test_Conv3d_stride_padding"] = "three spatial axes",
        ["pytorch-converted/test_MaxPool3d_stride_padding"] = "three spatial axes",
        ["simple/test_gradient_of_add"] = "Gradient",
        ["simple/test_gradient_of_add_and_mul"] = "Gradient",
        ["simple/test_sequence_model1"] = "Sequence",
        ["simple/test_sequence_model2"] = "Sequence",
        ["simple/test_sequence_model7"] = "Sequence",
        ["simple/test_strnorm_model_monday_casesensintive_lower"] = "string",
        ["simple/test_strnorm_model_monday_casesensintive_nochangecase"] = "string",
        ["simple/test_strnorm_model_monday_empty_output"] = "string",
        ["simple/test_strnorm_model_monday_insensintive_upper_twodim"] = "string",
        ["simple/test_strnorm_model_nostopwords_nochangecase"] = "string",
    };

    [Fact]
    public void Every_test_passes_or_is_refused_for_the_reason_that_is_listed()
    {
        var (passed, wrong) = (0, new List<string>());
        foreach (var folder in OnnxBackend.Folders())
        {
            var reason = Refused.GetValueOrDefault(folder);
            try
            {
                var difference = OnnxBackend.Run(folder);
                if (difference is not null)
                    wrong.Add($"{folder}: {difference}");
                else if (reason is not null)
                    wrong.Add($"{folder} passes, but is listed as refused");
                else
                    passed++;
            }
            catch (NetworkException e)
            {
                if (reason is null || !e.Message.Contains(reason, StringComparison.Ordinal) || e.Message.Contains('\n'))
                    wrong.Add($"{folder}: {e.Message}");
            }
            catch (Exception e) when (e is not Xunit.Sdk.SkipException)
            {
                wrong.Add($"{folder}: {e}");
            }
        }

        log.WriteLine($"{passed} passed, {Refused.Count} refused");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.Equal(Passing, passed);
    }

    [Fact]
    public void Networks_that_are_written_and_read_again_give_the_same()
    {
        var (passed, wrong) = (0, new List<string>());
        foreach (var folder in OnnxBackend.Folders().Where(folder => !Refused.ContainsKey(folder)))
        {
            try
            {
                if (OnnxBackend.Run(folder, roundTrip: true) is { } difference)
                    wrong.Add($"{folder}: {difference}");
                else
                    passed++;
            }
            catch (NetworkException e)
            {
                wrong.Add($"{folder}: {e.Message}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
        Assert.Equal(Passing, passed);
    }
}
