package dev.codeforge.operator.pool.workers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.codeforge.api.WorkerPool;
import dev.codeforge.api.WorkerPoolSpec;
import io.fabric8.kubernetes.api.model.ConfigMapEnvSource;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.SecretEnvSource;
import io.fabric8.kubernetes.api.model.SecretKeySelector;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import io.fabric8.kubernetes.api.model.VolumeProjectionBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Moves the variables that a template's container worker takes from Secrets into files, which agents cannot read. The
 * worker reads the files as variables (secret_variables.py), with the precedence that Kubernetes gives.
 *
 * @param container without those variables
 * @param volumes with their files
 */
record SecretVariables(Container container, List<Volume> volumes) {
    private static final String FOLDER = HiddenFiles.folder("env");
    private static final String VOLUME = "codeforge-env";
    private static final ObjectMapper JSON = new ObjectMapper();
    /** A variable's name that is also a valid file name. */
    private static final Pattern NAME = Pattern.compile("(?!\\.\\.)[-._a-zA-Z][-._a-zA-Z0-9]*");

    private static final Pattern REFERENCE = Pattern.compile("\\$\\(([^)]*)\\)");

    /** @param completed container worker with the operator's variables, which stay variables */
    static SecretVariables of(WorkerPool pool, Container given, Container completed) {
        if (pool.getSpec().isolation().agent() == WorkerPoolSpec.AgentIsolation.Off) {
            // Without isolation, agents can read the worker's files, but not its environment.
            return new SecretVariables(completed, List.of());
        }
        final Set<String> referred = referred(completed);
        final List<EnvVar> moved = given.getEnv().stream()
                .filter(variable -> secretKey(variable) != null)
                .filter(variable ->
                        NAME.matcher(variable.getName()).matches() && !referred.contains(variable.getName()))
                .toList();
        final List<EnvVar> left = new ArrayList<>(completed.getEnv());
        left.removeAll(moved);
        final List<EnvFromSource> sources = movesSources(completed, referred) ? completed.getEnvFrom() : List.of();
        if (moved.isEmpty() && sources.isEmpty()) {
            return new SecretVariables(completed, List.of());
        }
        left.add(new EnvVarBuilder()
                .withName("CODEFORGE_SECRET_VARIABLES")
                .withValue(told(moved, sources, left))
                .build());
        final List<Volume> volumes = new ArrayList<>();
        final List<VolumeMount> mounts = new ArrayList<>(completed.getVolumeMounts());
        if (!moved.isEmpty()) {
            volumes.add(
                    projected(VOLUME, moved.stream().map(SecretVariables::file).toList()));
            mounts.add(HiddenFiles.mount(VOLUME, FOLDER));
        }
        IntStream.range(0, sources.size()).forEach(at -> {
            volumes.add(projected(VOLUME + "-" + at, List.of(files(sources.get(at)))));
            mounts.add(HiddenFiles.mount(VOLUME + "-" + at, FOLDER + "-" + at));
        });
        final ContainerBuilder container =
                new ContainerBuilder(completed).withEnv(left).withVolumeMounts(mounts);
        if (!sources.isEmpty()) {
            container.withEnvFrom(List.of());
        }
        return new SecretVariables(container.build(), volumes);
    }

    /** Moves all sources or none: their order decides between equal names, and the names in them are unknown here. */
    private static boolean movesSources(Container container, Set<String> referred) {
        final Set<String> defined =
                container.getEnv().stream().map(EnvVar::getName).collect(Collectors.toSet());
        return defined.containsAll(referred)
                && container.getEnvFrom().stream().anyMatch(source -> source.getSecretRef() != null)
                && container.getEnvFrom().stream()
                        .allMatch(source -> source.getSecretRef() != null || source.getConfigMapRef() != null);
    }

    /** Names in $(NAME), which Kubernetes replaces in variables, arguments and paths. */
    private static Set<String> referred(Container container) {
        return Stream.of(
                        container.getEnv().stream().map(EnvVar::getValue),
                        container.getCommand().stream(),
                        container.getArgs().stream(),
                        container.getVolumeMounts().stream().map(VolumeMount::getSubPathExpr))
                .flatMap(texts -> texts)
                .filter(Objects::nonNull)
                .flatMap(text -> REFERENCE.matcher(text).results())
                .map(found -> found.group(1))
                .collect(Collectors.toSet());
    }

    private static SecretKeySelector secretKey(EnvVar variable) {
        return variable.getValueFrom() == null ? null : variable.getValueFrom().getSecretKeyRef();
    }

    private static String told(List<EnvVar> moved, List<EnvFromSource> sources, List<EnvVar> left) {
        final Map<String, Object> all = new TreeMap<>();
        all.put(
                "variables",
                moved.stream()
                        .map(variable -> {
                            final SecretKeySelector key = secretKey(variable);
                            return described(
                                    FOLDER + "/" + variable.getName(),
                                    key.getOptional(),
                                    "key " + key.getKey() + " of Secret " + key.getName(),
                                    "name",
                                    variable.getName());
                        })
                        .toList());
        all.put(
                "sources",
                IntStream.range(0, sources.size())
                        .mapToObj(at -> {
                            final EnvFromSource source = sources.get(at);
                            final SecretEnvSource secret = source.getSecretRef();
                            final ConfigMapEnvSource map = source.getConfigMapRef();
                            return described(
                                    FOLDER + "-" + at,
                                    secret == null ? map.getOptional() : secret.getOptional(),
                                    secret == null ? "ConfigMap " + map.getName() : "Secret " + secret.getName(),
                                    "prefix",
                                    source.getPrefix() == null ? "" : source.getPrefix());
                        })
                        .toList());
        if (!sources.isEmpty()) {
            // These win over sources. The worker cannot tell them from variables of its image, so it gets the names.
            all.put("given", left.stream().map(EnvVar::getName).collect(Collectors.toCollection(TreeSet::new)));
        }
        try {
            return JSON.writeValueAsString(all);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("strings are always JSON", e);
        }
    }

    private static Map<String, String> described(
            String path, Boolean optional, String origin, String further, String value) {
        return new TreeMap<>(
                Map.of("path", path, "origin", Boolean.TRUE.equals(optional) ? "" : origin, further, value));
    }

    /** Optional for Kubernetes, which would otherwise not start the pod, and report that in Events only. */
    private static VolumeProjection file(EnvVar variable) {
        final SecretKeySelector key = secretKey(variable);
        return new VolumeProjectionBuilder()
                .withNewSecret()
                .withName(key.getName())
                .withOptional(true)
                .addNewItem()
                .withKey(key.getKey())
                .withPath(variable.getName())
                .endItem()
                .endSecret()
                .build();
    }

    private static VolumeProjection files(EnvFromSource source) {
        final VolumeProjectionBuilder projection = new VolumeProjectionBuilder();
        return source.getSecretRef() != null
                ? projection
                        .withNewSecret()
                        .withName(source.getSecretRef().getName())
                        .withOptional(true)
                        .endSecret()
                        .build()
                : projection
                        .withNewConfigMap()
                        .withName(source.getConfigMapRef().getName())
                        .withOptional(true)
                        .endConfigMap()
                        .build();
    }

    private static Volume projected(String name, List<VolumeProjection> sources) {
        return new VolumeBuilder()
                .withName(name)
                .withNewProjected()
                .withDefaultMode(HiddenFiles.READABLE_BY_GROUP)
                .withSources(sources)
                .endProjected()
                .build();
    }
}
