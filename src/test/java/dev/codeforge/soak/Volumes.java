package dev.codeforge.soak;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A small volume for the workspaces of each place, in memory: it can be full without harm to the machine. */
final class Volumes implements AutoCloseable {
    private static final String SIZE = "64m";

    private final Path directory;
    private final List<Path> mounted = new ArrayList<>();

    Volumes(Path directory) {
        this.directory = directory;
    }

    /** Needs the right to mount: {@code hack/soak} gives it, within mounts of the soak's own. */
    synchronized Path of(String place) {
        final Path volume = directory.resolve(place);
        if (!mounted.contains(volume)) {
            try {
                Files.createDirectories(volume);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            Programs.run(directory, "mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tmpfs", volume.toString());
            mounted.add(volume);
        }
        return volume;
    }

    /** Takes all the room there is, also what others free meanwhile, and gives it back after this time. */
    void fill(String place, Duration time) {
        final Path file = of(place).resolve("filler");
        final long end = System.nanoTime() + time.toNanos();
        try (OutputStream out = Files.newOutputStream(file)) {
            while (System.nanoTime() < end) {
                fill(out);
                Patience.sleep(Duration.ofMillis(50));
            }
        } catch (IOException e) {
            // Closing it finds no room either.
        } finally {
            file.toFile().delete();
        }
    }

    private static void fill(OutputStream out) {
        final byte[] page = new byte[4096];
        try {
            while (true) {
                out.write(page);
            }
        } catch (IOException e) {
            // No space left: that is what is wanted.
        }
    }

    @Override
    public synchronized void close() {
        mounted.forEach(volume -> Programs.run(directory, "umount", "--lazy", volume.toString()));
        mounted.clear();
    }
}
