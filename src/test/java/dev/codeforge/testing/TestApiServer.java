package dev.codeforge.testing;

import static dev.codeforge.testing.Patience.PATIENCE;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;

/** etcd and kube-apiserver as processes on free ports of this machine, which can be killed and started again. */
public final class TestApiServer implements AutoCloseable {
    private final Path home = TestFolder.make("kube");
    private final Program etcd;
    private final Program apiServer;
    private final String token = UUID.randomUUID().toString();
    private final int port = FreePort.take();

    public TestApiServer() throws IOException {
        final String client = "http://127.0.0.1:" + FreePort.take();
        final String peer = "http://127.0.0.1:" + FreePort.take();
        etcd = new Program(
                "etcd",
                "--data-dir=" + home.resolve("etcd"),
                "--listen-client-urls=" + client,
                "--advertise-client-urls=" + client,
                "--listen-peer-urls=" + peer,
                "--initial-advertise-peer-urls=" + peer,
                "--initial-cluster=default=" + peer,
                "--unsafe-no-fsync");
        writeServiceAccountKeys();
        Files.writeString(home.resolve("tokens.csv"), token + ",admin,admin,system:masters\n");
        apiServer = new Program(
                "kube-apiserver",
                "--etcd-servers=" + client,
                "--secure-port=" + port,
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--cert-dir=" + home.resolve("certificates"),
                "--token-auth-file=" + home.resolve("tokens.csv"),
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.0.0.0/24",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-account-key-file=" + home.resolve("sa.pub"),
                "--service-account-signing-key-file=" + home.resolve("sa.key"),
                "--endpoint-reconciler-type=none");
        start();
    }

    /** Starts what does not run, on the ports and the data it had before, and returns when the API is served. */
    public void start() throws IOException {
        etcd.start();
        apiServer.start();
        awaitReady();
    }

    /** Kills kube-apiserver and etcd as a power cut would; {@link #start} brings both back. */
    public void kill() {
        apiServer.kill();
        etcd.kill();
    }

    /** Kills kube-apiserver alone; {@link #start} brings it back. */
    public void killApiServer() {
        apiServer.kill();
    }

    public Config config() {
        return new ConfigBuilder(Config.empty())
                .withMasterUrl("https://127.0.0.1:" + port)
                .withOauthToken(token)
                .withTrustCerts(true)
                .build();
    }

    /** One of the two, with the arguments that it is started with each time. */
    private final class Program {
        private final String name;
        private final List<String> command = new ArrayList<>();
        private Process process;

        Program(String name, String... arguments) {
            this.name = name;
            command.add(TestBinaries.path(name));
            command.addAll(List.of(arguments));
        }

        void start() throws IOException {
            if (!isAlive()) {
                process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(
                                home.resolve(name + ".log").toFile()))
                        .start();
            }
        }

        boolean isAlive() {
            return process != null && process.isAlive();
        }

        void kill() {
            process.destroyForcibly();
            process.onExit().join();
        }
    }

    private void writeServiceAccountKeys() throws IOException {
        try {
            final KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(2048);
            final KeyPair pair = generator.generateKeyPair();
            Files.writeString(home.resolve("sa.key"), pem("PRIVATE KEY", pair.getPrivate()));
            Files.writeString(home.resolve("sa.pub"), pem("PUBLIC KEY", pair.getPublic()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has RSA", e);
        }
    }

    private static String pem(String type, Key key) {
        return "-----BEGIN " + type + "-----\n"
                + Base64.getMimeEncoder().encodeToString(key.getEncoded())
                + "\n-----END " + type + "-----\n";
    }

    private void awaitReady() throws IOException {
        final Instant end = Instant.now().plus(PATIENCE);
        try (KubernetesClient client =
                new KubernetesClientBuilder().withConfig(config()).build()) {
            while (true) {
                try {
                    // Served is not ready: the roles that every API server has are made after its start.
                    if ("ok".equals(client.raw("/readyz"))) {
                        return;
                    }
                } catch (KubernetesClientException e) {
                    if (!etcd.isAlive() || !apiServer.isAlive()) {
                        throw new IOException("the API server did not start, see " + home, e);
                    }
                }
                if (Instant.now().isAfter(end)) {
                    throw new IOException("the API server was not ready within " + PATIENCE + ", see " + home);
                }
                java.util.concurrent.locks.LockSupport.parkNanos(
                        Duration.ofMillis(100).toNanos());
            }
        }
    }

    /** Ends both; their logs stay. */
    @Override
    public void close() {
        kill();
        try {
            TestFolder.delete(home.resolve("etcd"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
