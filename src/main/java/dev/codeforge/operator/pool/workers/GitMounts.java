package dev.codeforge.operator.pool.workers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** A pool's Git credentials in its workers: a mount for each Secret, and a variable with the URL of each. */
final class GitMounts {
    private static final ObjectMapper JSON = new ObjectMapper();

    private GitMounts() {}

    static List<Volume> volumes(WorkerPool pool) {
        final List<WorkerPoolSpec.Credential> credentials = credentials(pool);
        return IntStream.range(0, credentials.size())
                .mapToObj(i -> new VolumeBuilder()
                        .withName("git-" + i)
                        .withNewSecret()
                        .withSecretName(credentials.get(i).secretRef().name())
                        .withDefaultMode(HiddenFiles.READABLE_BY_GROUP)
                        .endSecret()
                        .build())
                .toList();
    }

    static List<VolumeMount> mounts(WorkerPool pool) {
        return IntStream.range(0, credentials(pool).size())
                .mapToObj(i -> HiddenFiles.mount("git-" + i, path(i)))
                .toList();
    }

    /** JSON for CODEFORGE_GIT_CREDENTIALS. */
    static String variable(WorkerPool pool) {
        final List<WorkerPoolSpec.Credential> credentials = credentials(pool);
        final List<Map<String, String>> mounted = new ArrayList<>();
        for (int i = 0; i < credentials.size(); i++) {
            mounted.add(new TreeMap<>(Map.of("url", credentials.get(i).url(), "path", path(i))));
        }
        try {
            return JSON.writeValueAsString(mounted);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings are always JSON", e);
        }
    }

    private static String path(int index) {
        return HiddenFiles.folder("git/" + index);
    }

    private static List<WorkerPoolSpec.Credential> credentials(WorkerPool pool) {
        return pool.getSpec().git() == null ? List.of() : pool.getSpec().git().credentials();
    }
}
