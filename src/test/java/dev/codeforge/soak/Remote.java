package dev.codeforge.soak;

import dev.codeforge.testing.FreePort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** The server of the tasks' repositories: bare ones on the disk, behind a git daemon. */
final class Remote implements AutoCloseable {
    private static final int REPOSITORIES = 24;
    private static final String START = "main";
    private static final String BRANCHES = "refs/heads/";
    /** Between the fields of a commit, and between commits. */
    private static final String FIELD = "%x1f";

    private static final String COMMIT = "%x1e";

    private final Path directory;
    private final int port = FreePort.take();
    private final Process daemon;

    /** A commit on a branch beyond where all began: the run that it names itself after, and the lines of all runs in it. */
    record Commit(String name, String task, int attempt) {}

    /**
     * A branch that some task has pushed.
     *
     * @param commits from its head on
     * @param runs lines of the agents whose work it has
     */
    record Branch(String repository, String name, List<Commit> commits, List<String> runs) {
        String head() {
            return commits.isEmpty() ? "" : commits.getFirst().name();
        }
    }

    Remote(Path directory) throws IOException {
        this.directory = Files.createDirectories(directory);
        final Path seed = Files.createDirectories(directory.resolve("seed"));
        Programs.run(seed, "git", "init", "--quiet", "--initial-branch", START);
        for (int i = 0; i < 20; i++) {
            Files.writeString(seed.resolve("file-" + i), "line\n".repeat(200 + i));
        }
        Programs.run(seed, "git", "add", "--all");
        Programs.run(seed, "git", "commit", "--quiet", "--message", "Begin");
        for (int i = 0; i < REPOSITORIES; i++) {
            Programs.run(directory, "git", "clone", "--quiet", "--bare", seed.toString(), repository(i));
        }
        daemon = Programs.start(
                directory,
                "git",
                "daemon",
                "--export-all",
                "--enable=receive-pack",
                "--reuseaddr",
                "--listen=127.0.0.1",
                // Otherwise the daemon drops what comes beyond 32 connections at once.
                "--max-connections=0",
                "--port=" + port,
                "--base-path=" + directory);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(this::close));
        Patience.until("starting git daemon", () -> {
            new Socket(InetAddress.getLoopbackAddress(), port).close();
            return true;
        });
    }

    private static String repository(int number) {
        return "repository-" + number + ".git";
    }

    /** YAML of a workspace in one of the repositories, with a push branch of this name. */
    String workspace(String branch, Random random) {
        return workspace(port, repository(random.nextInt(REPOSITORIES)), branch);
    }

    static String workspace(int port, String repository, String branch) {
        return "workspace: {git: {url: 'git://127.0.0.1:%d/%s', push: {policy: OnSuccess, branch: '%s'}}}\n"
                .formatted(port, repository, branch);
    }

    /** All branches but the one that tasks start from. */
    List<Branch> branches() {
        final List<Branch> found = new ArrayList<>();
        IntStream.range(0, REPOSITORIES).mapToObj(Remote::repository).forEach(name -> {
            final Path bare = directory.resolve(name);
            lines(Programs.run(bare, "git", "for-each-ref", "--format=%(refname)", BRANCHES)).stream()
                    .map(ref -> ref.substring(BRANCHES.length()))
                    .filter(branch -> !branch.equals(START))
                    .forEach(branch -> found.add(new Branch(name, branch, commits(bare, branch), work(bare, branch))));
        });
        return found;
    }

    private static List<String> work(Path bare, String branch) {
        final String head = BRANCHES + branch;
        return Programs.run(bare, "git", "ls-tree", "--name-only", head, "work").isEmpty()
                ? List.of()
                : lines(Programs.run(bare, "git", "show", head + ":work"));
    }

    private static List<Commit> commits(Path bare, String branch) {
        final String format = "%H" + FIELD + "%(trailers:key=Codeforge-Task,valueonly,separator=)" + FIELD
                + "%(trailers:key=Codeforge-Attempt,valueonly,separator=)" + COMMIT;
        final String told = Programs.run(bare, "git", "log", "--format=" + format, START + ".." + BRANCHES + branch);
        return Arrays.stream(told.split("\u001e"))
                .map(String::strip)
                .filter(commit -> !commit.isEmpty())
                .map(commit -> commit.split("\u001f", -1))
                .map(fields -> new Commit(fields[0], fields[1], fields[2].isEmpty() ? 0 : Integer.parseInt(fields[2])))
                .toList();
    }

    private static List<String> lines(String text) {
        return text.lines().filter(line -> !line.isBlank()).toList();
    }

    @Override
    public void close() {
        daemon.descendants().forEach(ProcessHandle::destroyForcibly);
        daemon.destroyForcibly();
    }
}
