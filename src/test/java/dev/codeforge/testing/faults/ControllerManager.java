package dev.codeforge.testing.faults;

import dev.codeforge.testing.TestApiServer;
import dev.codeforge.testing.TestBinaries;
import dev.codeforge.testing.TestFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A real kube-controller-manager. */
public final class ControllerManager implements AutoCloseable {
    private final ChildProcess process;

    /** Makes pods of Deployments, and chooses which of them to delete. */
    public ControllerManager(TestApiServer server) throws IOException {
        this(server, "deployment-controller,replicaset-controller,serviceaccount-controller");
    }

    /** @param controllers those that run, by kube-controller-manager's names and commas */
    public ControllerManager(TestApiServer server, String controllers) throws IOException {
        final Path directory = TestFolder.make("controllers");
        final Path kubeconfig = directory.resolve("kubeconfig");
        Files.writeString(
                kubeconfig,
                """
                apiVersion: v1
                kind: Config
                current-context: test
                contexts: [{name: test, context: {cluster: test, user: test}}]
                clusters: [{name: test, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
                users: [{name: test, user: {token: "%s"}}]
                """
                        .formatted(
                                server.config().getMasterUrl(), server.config().getOauthToken()));
        process = new ChildProcess(
                List.of(
                        TestBinaries.path("kube-controller-manager"),
                        "--kubeconfig=" + kubeconfig,
                        "--controllers=" + controllers,
                        "--leader-elect=false",
                        "--secure-port=0",
                        "--kube-api-qps=200",
                        "--kube-api-burst=400"),
                Map.of(),
                directory.resolve("log"));
        process.start();
    }

    @Override
    public void close() {
        process.kill();
    }
}
