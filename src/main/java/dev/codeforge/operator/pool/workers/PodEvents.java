package dev.codeforge.operator.pool.workers;

import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the messages on a pod that a kubelet writes to Events, and to no status. */
final class PodEvents {
    private static final Logger LOG = LoggerFactory.getLogger(PodEvents.class);
    private static final Set<String> HELD_UP = Set.of(
            "FailedMount",
            "FailedAttachVolume",
            "FailedMapVolume",
            "FailedCreatePodSandBox",
            "FailedPrepareDynamicResources",
            "NetworkNotReady");

    private final KubernetesClient client;

    PodEvents(KubernetesClient client) {
        this.client = client;
    }

    /** The problem in the pod's last Event, if that Event reports one: any later Event shows that a problem is over. */
    Optional<String> trouble(String namespace, String podUid) {
        try {
            return client
                    .events()
                    .v1()
                    .events()
                    .inNamespace(namespace)
                    .withField("regarding.uid", podUid)
                    .list()
                    .getItems()
                    .stream()
                    .max(Comparator.comparing(PodEvents::time))
                    .filter(event -> HELD_UP.contains(String.valueOf(event.getReason())))
                    .map(event -> event.getReason() + ": " + event.getNote());
        } catch (KubernetesClientException e) {
            // The operator serves the pool without the Events.
            LOG.warn("the Events of a pod in namespace {} are not read: {}", namespace, e.getMessage());
            return Optional.empty();
        }
    }

    /** The Event's last occurrence, by its writer's clock; a kubelet counts repetitions in the older field. */
    private static String time(Event event) {
        return Stream.of(
                        event.getSeries() == null || event.getSeries().getLastObservedTime() == null
                                ? null
                                : event.getSeries().getLastObservedTime().getTime(),
                        event.getDeprecatedLastTimestamp(),
                        event.getEventTime() == null
                                ? null
                                : event.getEventTime().getTime(),
                        event.getMetadata().getCreationTimestamp())
                .filter(Objects::nonNull)
                .max(Comparator.naturalOrder())
                .orElse("");
    }
}
