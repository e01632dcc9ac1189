package dev.codeforge.operator.pool;

import dev.codeforge.api.WorkerPool;
import dev.codeforge.operator.runtime.NatsSettings;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import java.util.List;

/**
 * How container worker finds NATS and its user there. A minted credential is a file, since it changes while the worker runs:
 * the kubelet renews neither variables nor single files of a folder.
 */
record NatsMounts(boolean minted) {
    private static final int READABLE_BY_GROUP = 0440;
    private static final String VOLUME = "nats-credential";
    /** Not below /etc, which agents may read. */
    private static final String FOLDER = "/run/codeforge/nats";

    static NatsMounts of(NatsSettings settings) {
        return new NatsMounts(settings instanceof NatsSettings.Minted);
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
                        .withDefaultMode(READABLE_BY_GROUP)
                        .addNewItem(PoolIdentities.CREDENTIAL, null, PoolIdentities.CREDENTIAL)
                        .endSecret()
                        .build())
                : List.of();
    }

    List<VolumeMount> mounts() {
        return minted
                ? List.of(new VolumeMountBuilder()
                        .withName(VOLUME)
                        .withMountPath(FOLDER)
                        .withReadOnly(true)
                        .build())
                : List.of();
    }
}
