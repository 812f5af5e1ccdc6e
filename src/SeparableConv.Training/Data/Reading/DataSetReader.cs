namespace SeparableConv.Training.Data;

/// <summary>Recognizes what a path is, finds the files that belong to it, and has them read.</summary>
internal static class DataSetReader
{
    private const string Expected = "a folder a class of pictures, IDX files (train-images-idx3-ubyte.gz), CIFAR's data_batch_*.bin or "
        + "train.bin, or x.npy and y.npy";

    /// <summary>Reads a data set.</summary>
    public static PictureDataSet Read(string path, DataSetOptions options) => Read(path, options, isLabelled: true);

    /// <summary>Reads pictures without labels.</summary>
    public static PictureDataSet ReadPictures(string path, DataSetOptions options) => Read(path, options, isLabelled: false);

    private static PictureDataSet Read(string path, DataSetOptions options, bool isLabelled)
    {
        if (File.Exists(path))
            return ReadFile(path, options, isLabelled);
        if (!Directory.Exists(path))
            throw new FileNotFoundException($"'{path}' does not exist; expected is {Wanted(isLabelled)}.", path);

        var names = Array.ConvertAll(Directory.GetFiles(path), name => Path.GetFileName(name)!);
        Array.Sort(names, StringComparer.Ordinal);
        if (Array.FindAll(names, IsIdxPictures) is { Length: > 0 } idx)
            return ReadFile(Path.Combine(path, TrainingPart(path, idx)), options, isLabelled);
        if (Array.FindAll(names, IsCifarBatch) is { Length: > 0 } batches)
            return ReadCifar(path, batches, 10, options, isLabelled);
        if (names.Contains("train.bin"))
            return ReadCifar(path, ["train.bin"], 100, options, isLabelled);
        if (Array.FindAll(names, name => NpyPartner(path, name) is not null) is { Length: > 0 } arrays)
            return ReadFile(Path.Combine(path, TrainingPart(path, arrays)), options, isLabelled);
        var hasFolders = FolderReader.Folders(path).Length > 0;
        if (isLabelled && hasFolders)
            return FolderReader.Read(path, options);

        // Of several each is a picture.
        if (!isLabelled && !hasFolders && FolderReader.Files(path) is [var only] && IsNpy(only))
            return ReadFile(Path.Combine(path, only), options, isLabelled);
        if (!isLabelled && (hasFolders || FolderReader.Files(path).Length > 0))
            return FolderReader.ReadPictures(path, options);
        throw new InvalidDataException($"The folder '{path}' has no data set that is known; expected is {Wanted(isLabelled)}.");
    }

    private static string Wanted(bool isLabelled) =>
        isLabelled ? Expected : $"a folder of pictures, {Expected}; of IDX and .npy the pictures alone will do";

    private static PictureDataSet ReadFile(string path, DataSetOptions options, bool isLabelled)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var name = Path.GetFileName(path);
        if (name.EndsWith(".bin", StringComparison.OrdinalIgnoreCase))
            return ReadCifar(folder, [name], CifarClasses(folder, name), options, isLabelled);

        // The mark of either format.
        var start = DataFile.Start(path, 8);
        var isIdx = IdxReader.Dimensions(start) > 1;
        var isNpy = start.AsSpan().StartsWith(Imaging.NpyFile.Magic);
        if ((isIdx || isNpy) && !isLabelled)
        {
            using var pictures = DataFile.Open(path);
            return isIdx ? IdxReader.ReadPictures(pictures, options) : NpyPairReader.ReadPictures(pictures, options);
        }

        if (isIdx)
        {
            return ReadPair(path, IdxPartner(folder, name), "the same name with 'labels' for 'images' and 'idx1'", options, IdxReader.Read);
        }

        if (isNpy)
        {
            return ReadPair(
                path, NpyPartner(folder, name), "y.npy for x.npy, or 'labels' for 'images' in the name", options, NpyPairReader.Read);
        }

        throw new InvalidDataException(
            IdxReader.Dimensions(start) == 1
                ? $"'{path}' has the classes of an IDX data set; name the file with its pictures."
                : $"'{path}' begins with the bytes {Convert.ToHexString(start)}, which no data set does; expected is "
                    + $"{Wanted(isLabelled)}.");
    }

    private static PictureDataSet ReadPair(
        string path, string? partner, string rule, DataSetOptions options, Func<DataFile, DataFile, DataSetOptions, PictureDataSet> read)
    {
        if (partner is null)
            throw new FileNotFoundException($"'{path}' has no file with its classes beside it; expected is {rule}.", path);
        using var pictures = DataFile.Open(path);
        using var classes = DataFile.Open(partner);
        return read(pictures, classes, options);
    }

    private static PictureDataSet ReadCifar(string folder, string[] names, int classes, DataSetOptions options, bool isLabelled)
    {
        var labels = options.Classes;
        var list = Path.Combine(folder, classes == 10 ? CifarReader.NamesOf10 : CifarReader.NamesOf100);
        if (isLabelled && labels is null && File.Exists(list))
            labels = ClassLabels.Load(list);
        var files = new List<DataFile>();
        try
        {
            foreach (var name in names)
                files.Add(DataFile.Open(Path.Combine(folder, name)));
            return isLabelled
                ? CifarReader.Read(files.ToArray(), classes, labels, options)
                : CifarReader.ReadPictures(files.ToArray(), classes, options);
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    // A record has no mark: names tell, and lengths where they do not.
    private static int CifarClasses(string folder, string name)
    {
        if (IsCifarBatch(name) || name == "test_batch.bin")
            return 10;
        var length = new FileInfo(Path.Combine(folder, name)).Length;
        return name is "train.bin" or "test.bin" || length % CifarReader.RecordBytes(10) != 0 ? 100 : 10;
    }

    private static bool IsCifarBatch(string name) =>
        name.StartsWith("data_batch_", StringComparison.Ordinal) && name.EndsWith(".bin", StringComparison.Ordinal);

    private static bool IsIdxPictures(string name) =>
        name.Contains("idx3-ubyte", StringComparison.Ordinal) || name.Contains("idx4-ubyte", StringComparison.Ordinal);

    private static bool IsNpy(string name) => name.EndsWith(".npy", StringComparison.OrdinalIgnoreCase);

    // train-images-idx3-ubyte.gz -> train-labels-idx1-ubyte, packed or not.
    private static string? IdxPartner(string folder, string name)
    {
        var labels = name.Replace("images", "labels", StringComparison.Ordinal)
            .Replace("idx3", "idx1", StringComparison.Ordinal).Replace("idx4", "idx1", StringComparison.Ordinal);
        var plain = labels.EndsWith(".gz", StringComparison.Ordinal) ? labels[..^3] : labels;
        var names = Array.FindAll([labels, plain, plain + ".gz"], other => other != name);
        return Array.Find(Array.ConvertAll(names, other => Path.Combine(folder, other)), File.Exists);
    }

    // x.npy -> y.npy, x_train.npy -> y_train.npy, train_images.npy -> train_labels.npy.
    private static string? NpyPartner(string folder, string name)
    {
        if (!IsNpy(name))
            return null;
        var partner = name[0] is 'x' or 'X' && (name[1] == '.' || name[1] == '_')
            ? (char)(name[0] + 1) + name[1..]
            : name.Replace("images", "labels", StringComparison.Ordinal);
        return partner != name && File.Exists(Path.Combine(folder, partner)) ? Path.Combine(folder, partner) : null;
    }

    // The training part where there are several.
    private static string TrainingPart(string folder, string[] names)
    {
        if (names.Length == 1)
            return names[0];
        var training = Array.FindAll(names, name => name.Contains("train", StringComparison.Ordinal));
        return training.Length == 1
            ? training[0]
            : throw new InvalidDataException(
                $"The folder '{folder}' has several data sets, {string.Join(", ", names)}; name the file that is to be read.");
    }
}
