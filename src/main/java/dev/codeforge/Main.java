package dev.codeforge;

import dev.codeforge.console.Console;
import dev.codeforge.console.ConsoleSettings;
import dev.codeforge.operator.CodeforgeOperator;
import dev.codeforge.operator.framework.OperatorClient;
import dev.codeforge.operator.pool.FinalizerRelease;
import dev.codeforge.operator.settings.OperatorSettings;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The program; each role is a subcommand. */
public final class Main {
    private static final Logger LOG = LoggerFactory.getLogger(Main.class);
    private static final int FAILED = 1;
    private static final int USAGE = 64;

    /**
     * More carrier threads than cores, so that no reconcile waits for the computation of another; the system shares the
     * cores.
     */
    private static final String CARRIERS = "6";

    private Main() {}

    public static void main(String[] arguments) {
        final String command = arguments.length == 1 ? arguments[0] : "";
        switch (command) {
            case "operator" -> operator();
            case "console" -> console();
            case "release" -> release();
            default -> {
                System.err.println("usage: codeforge operator|console|release"
                        + "\n  operator  run the operator"
                        + "\n  console   serve what changes to WebSocket and SSE clients"
                        + "\n  release   take the finalizer off its WorkerPools, before the operator is uninstalled");
                System.exit(USAGE);
            }
        }
    }

    private static void operator() {
        System.setProperty("jdk.virtualThreadScheduler.parallelism", CARRIERS);
        // Signatures are rare, so no native library is unpacked for them.
        System.setProperty("org.bouncycastle.native.cpu_variant", "java");
        final OperatorSettings settings;
        try {
            settings = OperatorSettings.from(System.getenv());
        } catch (IllegalArgumentException e) {
            System.err.println("codeforge operator: " + e.getMessage());
            System.exit(USAGE);
            return;
        }
        start("operator", client -> {
            final CodeforgeOperator operator = new CodeforgeOperator(settings, client);
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(operator::close));
            operator.start();
        });
    }

    private static void console() {
        final ConsoleSettings settings;
        try {
            settings = ConsoleSettings.from(System.getenv());
        } catch (IllegalArgumentException e) {
            System.err.println("codeforge console: " + e.getMessage());
            System.exit(USAGE);
            return;
        }
        start("console", client -> {
            final Console console = new Console(settings, client);
            Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(console::close));
            console.start();
        });
    }

    @FunctionalInterface
    private interface Role {
        void start(KubernetesClient client) throws IOException;
    }

    /**
     * A failed start exits, because the threads of the HTTP server and of the NATS client would keep the process alive.
     */
    private static void start(String name, Role role) {
        try {
            role.start(OperatorClient.of(Config.autoConfigure(null)));
        } catch (IOException | RuntimeException e) {
            LOG.error("codeforge {} could not start, and exits to be restarted", name, e);
            System.exit(FAILED);
        }
    }

    private static void release() {
        try (KubernetesClient client = OperatorClient.of(Config.autoConfigure(null))) {
            final FinalizerRelease release = new FinalizerRelease(client);
            final String deployment = System.getenv().getOrDefault("CODEFORGE_DEPLOYMENT", "");
            if (!deployment.isEmpty()) {
                release.stopOperator(System.getenv().getOrDefault("CODEFORGE_NAMESPACE", ""), deployment);
            }
            final Set<String> namespaces = OperatorSettings.watchNamespaces(System.getenv());
            System.out.println("released " + release.release(namespaces) + " WorkerPools");
        }
    }
}
