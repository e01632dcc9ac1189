package dev.codeforge.operator.pool.workers;

import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;

/** Files of a worker that its agents cannot read: Landlock denies them /run, but not most other folders (/etc). */
final class HiddenFiles {
    /** The mode of the files: the worker belongs to the group of its volumes. */
    static final int READABLE_BY_GROUP = 0440;

    private static final String ROOT = "/run/codeforge/";

    private HiddenFiles() {}

    static String folder(String name) {
        return ROOT + name;
    }

    static VolumeMount mount(String volume, String folder) {
        return new VolumeMountBuilder()
                .withName(volume)
                .withMountPath(folder)
                .withReadOnly(true)
                .build();
    }
}
