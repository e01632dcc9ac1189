package dev.codeforge.operator.pool.workers;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import dev.codeforge.operator.pool.access.PoolIdentities;
import dev.codeforge.operator.settings.NatsSettings;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.ArrayList;
import java.util.List;

/**
 * How container worker gets the address of NATS and its user there. A credential is a file, because it changes while
 * the worker runs: the kubelet renews neither variables nor single files of a folder. User and password are variables
 * too, for older workers that do not read the files, and only variables where agents can read the worker's files.
 */
public record NatsMounts(boolean minted) {
    private static final String VOLUME = "nats-credential";
    private static final String FOLDER = HiddenFiles.folder("nats");
    private static final String USERNAME = "username";
    private static final String PASSWORD = "password";
    private static final String USER_VARIABLE = "NATS_USER";
    private static final String PASSWORD_VARIABLE = "NATS_PASSWORD";
    private static final String LOGIN = "CODEFORGE_NATS_LOGIN";

    public static NatsMounts of(NatsSettings settings) {
        return new NatsMounts(!(settings instanceof NatsSettings.Given));
    }

    List<EnvVar> environment(WorkerPool pool) {
        final List<EnvVar> environment = new ArrayList<>();
        environment.add(WorkerEnvironment.secret("NATS_URL", pool, "url"));
        if (minted) {
            environment.add(
                    WorkerEnvironment.variable("CODEFORGE_NATS_CREDENTIALS", FOLDER + "/" + PoolIdentities.CREDENTIAL));
            return environment;
        }
        environment.add(WorkerEnvironment.secret(USER_VARIABLE, pool, USERNAME));
        environment.add(WorkerEnvironment.secret(PASSWORD_VARIABLE, pool, PASSWORD));
        if (isFile(pool)) {
            environment.add(WorkerEnvironment.variable(LOGIN, FOLDER));
        }
        return environment;
    }

    List<Volume> volumes(WorkerPool pool) {
        if (!isFile(pool)) {
            return List.of();
        }
        final List<String> keys = minted ? List.of(PoolIdentities.CREDENTIAL) : List.of(USERNAME, PASSWORD);
        return List.of(new VolumeBuilder()
                .withName(VOLUME)
                .withNewSecret()
                .withSecretName(pool.workersName())
                .withDefaultMode(HiddenFiles.READABLE_BY_GROUP)
                .withItems(
                        keys.stream().map(key -> new KeyToPath(key, null, key)).toList())
                .endSecret()
                .build());
    }

    List<VolumeMount> mounts(WorkerPool pool) {
        return isFile(pool) ? List.of(HiddenFiles.mount(VOLUME, FOLDER)) : List.of();
    }

    /** True if a template's variable replaces ours: with a user of its own, the file with ours must not apply. */
    static boolean isReplaced(String ours, String theirs) {
        return ours.equals(theirs)
                || ours.equals(LOGIN) && (USER_VARIABLE.equals(theirs) || PASSWORD_VARIABLE.equals(theirs));
    }

    private boolean isFile(WorkerPool pool) {
        return minted || pool.getSpec().isolation().agent() != WorkerPoolSpec.AgentIsolation.Off;
    }
}
