package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.runtime.NatsSettings;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.List;

/**
 * How container worker finds NATS and its user there. A minted credential is a file, since it changes while the worker runs:
 * the kubelet renews neither variables nor single files of a folder.
 */
record NatsMounts(boolean minted) {
    private static final String VOLUME = "nats-credential";
    private static final String FOLDER = HiddenFiles.folder("nats");

    static NatsMounts of(NatsSettings settings) {
        return new NatsMounts(!(settings instanceof NatsSettings.Given));
    }

    List<EnvVar> environment(WorkerPool pool) {
        final EnvVar url = WorkerEnvironment.secret("NATS_URL", pool, "url");
        return minted
                ? List.of(
                        url,
                        WorkerEnvironment.variable(
                                "CODEFORGE_NATS_CREDENTIALS", FOLDER + "/" + PoolIdentities.CREDENTIAL))
                : List.of(
                        url,
                        WorkerEnvironment.secret("NATS_USER", pool, "username"),
                        WorkerEnvironment.secret("NATS_PASSWORD", pool, "password"));
    }

    List<Volume> volumes(WorkerPool pool) {
        return minted
                ? List.of(new VolumeBuilder()
                        .withName(VOLUME)
                        .withNewSecret()
                        .withSecretName(pool.workersName())
                        .withDefaultMode(HiddenFiles.READABLE_BY_GROUP)
                        .addNewItem(PoolIdentities.CREDENTIAL, null, PoolIdentities.CREDENTIAL)
                        .endSecret()
                        .build())
                : List.of();
    }

    List<VolumeMount> mounts() {
        return minted ? List.of(HiddenFiles.mount(VOLUME, FOLDER)) : List.of();
    }
}
