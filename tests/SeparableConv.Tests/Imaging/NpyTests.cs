using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SeparableConv.Imaging;

namespace SeparableConv.Tests.Imaging;

public sealed class NpyTests
{
    public static TheoryData<string> NumPyFiles() => [.. File.ReadLines(TestFiles.Golden("npy_files.tsv"))];

    [Theory]
    [MemberData(nameof(NumPyFiles))]
    public void File_written_by_NumPy_is_read(string line)
    {
        var columns = line.Split('\t');
        var file = Convert.FromBase64String(columns[4]);
        var array = NpyFile.Read(new MemoryStream(file));
        Assert.Equal(columns[1], array.Type.ToString());
        Assert.Equal(columns[2], string.Join(',', array.Shape.ToArray()));
        var expected = columns[3]
            .Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(value => double.Parse(value, CultureInfo.InvariantCulture))
            .ToArray();
        Assert.Equal(expected, array.ToDoubles());
        Assert.Equal(expected.Length, array.Count);

        // What is little endian and in C order already is written back to the same bytes.
        if (!columns[0].Contains("endian", StringComparison.Ordinal) && !columns[0].Contains("Fortran", StringComparison.Ordinal)
            && !columns[0].Contains("version", StringComparison.Ordinal))
        {
            Assert.Equal(file, Write(array));
        }
    }

    [Fact]
    public void Array_round_trips()
    {
        var arrays =
            from shape in Gen.Choose(0, 5).ArrayOf().Resize(4)
            from seed in Gen.Choose(0, int.MaxValue - 1)
            select (Shape: shape, Seed: seed);
        Prop.ForAll(
            arrays.ToArbitrary(),
            made =>
            {
                var count = made.Shape.Aggregate(1, (product, extent) => product * extent);
                return RoundTrips<byte>(count, made.Shape, made.Seed) && RoundTrips<sbyte>(count, made.Shape, made.Seed)
                    && RoundTrips<ushort>(count, made.Shape, made.Seed) && RoundTrips<short>(count, made.Shape, made.Seed)
                    && RoundTrips<int>(count, made.Shape, made.Seed) && RoundTrips<long>(count, made.Shape, made.Seed)
                    && RoundTrips<uint>(count, made.Shape, made.Seed) && RoundTrips<ulong>(count, made.Shape, made.Seed)
                    && RoundTrips<Half>(count, made.Shape, made.Seed) && RoundTrips<float>(count, made.Shape, made.Seed)
                    && RoundTrips<double>(count, made.Shape, made.Seed);
            }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", true)]
    [InlineData(" { \"shape\" : ( 2 , ) ,\n'fortran_order':False,'descr':'<f4',} \n", true)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2), }", true)]
    [InlineData("", false)]
    [InlineData("{", false)]
    [InlineData("{}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", false)]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': '<f4', 'shape': (2,)}", false)]
    [InlineData("{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999)}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 0, 9999999999)}", false)]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': [2]}", false)]
    [InlineData("{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': 'f4', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': '<f16', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'de\nscr': '<f4', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': '<\0f4', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", false)]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", false)]
    public void Header_is_parsed_strictly(string header, bool good)
    {
        byte[] file =
        [
            .. NpyFile.Magic,
            1,
            0,
            (byte)header.Length,
            (byte)(header.Length >> 8),
            .. Encoding.ASCII.GetBytes(header),
            .. new byte[8],
        ];
        if (good)
            Assert.Equal([0f, 0f], NpyFile.Read(new MemoryStream(file)).As<float>());
        else
            Assert.DoesNotContain(Assert.Throws<InvalidDataException>(() => NpyFile.Read(new MemoryStream(file))).Message, char.IsControl);
    }

    [Fact]
    public void Truncation_at_every_byte_is_refused()
    {
        var file = Write(NpyArray.Create<float>([1, 2, 3, 4, 5, 6], 2, 3));
        for (var length = 0; length < file.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => NpyFile.Read(new MemoryStream(file[..length])));
            Assert.Throws<InvalidDataException>(() => NpyFile.Read(new Pipe(file[..length])));
        }

        Assert.Equal(6, NpyFile.Read(new Pipe(file)).Count);
    }

    [Fact]
    public void Flipped_bits_of_the_header_are_refused_or_read_and_those_of_the_numbers_are_read()
    {
        const int numbers = 6 * sizeof(ushort);
        var file = Write(NpyArray.Create<ushort>([1, 2, 3, 4, 5, 6], 2, 3));
        var refused = 0;
        for (var bit = 0; bit < 8 * file.Length; bit++)
        {
            var damaged = (byte[])file.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            if (bit / 8 >= file.Length - numbers)
            {
                Assert.Equal(damaged[^numbers..], NpyFile.Read(new MemoryStream(damaged)).Data);
                continue;
            }

            try
            {
                Assert.InRange(NpyFile.Read(new MemoryStream(damaged)).Count, 0, 6);
            }
            catch (InvalidDataException)
            {
                // Any other exception fails the test.
                refused++;
            }
        }

        // Most of a header is spaces behind its words, and a space may be no other character.
        Assert.True(refused > 6 * (file.Length - numbers), $"Only {refused} headers were refused.");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Claimed_size_takes_no_memory_before_the_bytes_arrive(bool seekable)
    {
        const string Header = "{'descr': '<f8', 'fortran_order': False, 'shape': (10000, 20000), }\n";
        byte[] file = [.. NpyFile.Magic, 1, 0, (byte)Header.Length, 0, .. Encoding.ASCII.GetBytes(Header), .. new byte[64]];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => NpyFile.Read(seekable ? new MemoryStream(file) : new Pipe(file)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Several_arrays_in_a_stream_are_read_one_by_one_but_a_file_holds_one()
    {
        using var folder = new TempFolder();
        var array = NpyArray.Create<int>([1, 2], 2);
        byte[] two = [.. Write(array), .. Write(array)];
        var stream = new MemoryStream(two);
        NpyFile.Read(stream);
        Assert.Equal([1, 2], NpyFile.Read(stream).As<int>());

        File.WriteAllBytes(folder["two.npy"], two);
        Assert.Throws<InvalidDataException>(() => NpyFile.Load(folder["two.npy"]));
        NpyFile.Save(folder["one.npy"], array);
        Assert.Equal([1, 2], NpyFile.Load(folder["one.npy"]).As<int>());
    }

    [Fact]
    public void Truth_values_are_read_as_zero_and_one()
    {
        var file = Write(NpyArray.Create<bool>([true, false, true], 3));
        Assert.Contains("'|b1'", Encoding.ASCII.GetString(file));
        file[^1] = 7;
        var read = NpyFile.Read(new MemoryStream(file));
        Assert.Equal([1, 0, 1], read.Data.ToArray());
        Assert.Equal([1, 0, 1], read.ToDoubles());
    }

    [Fact]
    public void Bytes_are_taken_as_they_lie()
    {
        var array = NpyArray.FromBytes(ElementType.Float16, [0x00, 0x3c, 0x00, 0xc0], 1, 2);
        Assert.Equal([1, -2], array.ToDoubles());
        Assert.Equal([1f, -2f], NpyFile.Read(new MemoryStream(Write(array))).ToFloats());
        Assert.Throws<ArgumentException>(() => NpyArray.FromBytes(ElementType.Float32, new byte[6], 1));
        Assert.Throws<ArgumentException>(() => NpyArray.FromBytes(ElementType.Float32, new byte[8], 3));
    }

    [Fact]
    public void Wrong_type_or_number_of_elements_is_refused()
    {
        Assert.Throws<ArgumentException>(() => NpyArray.Create<float>([1, 2, 3], 2, 2));
        Assert.Throws<ArgumentException>(() => NpyArray.Create<decimal>([1], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => NpyArray.Create<float>([], -1));
        Assert.Throws<ArgumentException>(() => NpyArray.Create<float>([1], 1).As<double>().Length);
    }

    [Fact]
    public void Image_round_trips()
    {
        Prop.ForAll(TestImages.Any<byte>(), RoundTrips).QuickCheckThrowOnFailure();
        Prop.ForAll(TestImages.Any<ushort>(), RoundTrips).QuickCheckThrowOnFailure();
        Prop.ForAll(TestImages.Any<float>(), RoundTrips).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Doubles_become_a_float_image_and_other_arrays_are_refused()
    {
        var image = Assert.IsType<Image<float>>(ImageFile.Load(new MemoryStream(Write(NpyArray.Create<double>([0.25, 0.5], 1, 2)))));
        Assert.Equal([0.25f, 0.5f], image.Pixels);
        NpyArray[] others =
        [
            NpyArray.Create<float>([1, 2], 2), NpyArray.Create<float>([], 0, 2),
            NpyArray.Create<float>(new float[5], 1, 1, 5), NpyArray.Create<float>([1, 2], 1, 2, 1, 1),
        ];
        foreach (var other in others)
            Assert.Throws<InvalidDataException>(() => ImageFile.Load(new MemoryStream(Write(other))));

        var large = Write(NpyArray.Create<byte>(new byte[100], 10, 10));
        Assert.Throws<InvalidDataException>(() => ImageFile.Load(new MemoryStream(large), new ImageReadOptions { MaxPixels = 99 }));
        Assert.Throws<InvalidDataException>(() => ImageFile.Load(new MemoryStream([.. large, 0])));
    }

    private static bool RoundTrips(Image image)
    {
        using var file = new MemoryStream();
        ImageFile.Save(image, file, ".npy");
        return TestImages.Same(image, ImageFile.Load(new MemoryStream(file.ToArray())))
            && TestImages.Same(image, ImageFile.Load(new Pipe(file.ToArray())));
    }

    private static bool RoundTrips<T>(int count, int[] shape, int seed)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        var random = new Random(seed);
        var elements = Enumerable.Range(0, count).Select(_ => T.CreateTruncating(random.NextInt64())).ToArray();
        var read = NpyFile.Read(new Pipe(Write(NpyArray.Create<T>(elements, shape))));
        return read.Shape.SequenceEqual(shape) && read.As<T>().SequenceEqual(elements);
    }

    private static byte[] Write(NpyArray array)
    {
        using var file = new MemoryStream();
        NpyFile.Write(file, array);
        return file.ToArray();
    }
}
