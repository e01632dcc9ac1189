package dev.codeforge.operator.status;

import dev.codeforge.wire.PlainText;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes Kubernetes Events. A failed write is only logged, because no decision depends on an Event. */
public final class EventRecorder {
    private static final Logger LOG = LoggerFactory.getLogger(EventRecorder.class);
    private static final int NOTE_LIMIT = 1024;
    private final KubernetesClient client;
    private final String instance;
    private final Clock clock;

    public EventRecorder(KubernetesClient client, String instance, Clock clock) {
        this.client = client;
        this.instance = instance;
        this.clock = clock;
    }

    public void warning(HasMetadata about, String reason, String action, String note) {
        final ObjectMeta metadata = about.getMetadata();
        try {
            client.events()
                    .v1()
                    .events()
                    .inNamespace(metadata.getNamespace())
                    .resource(new EventBuilder()
                            .withNewMetadata()
                            .withName(metadata.getName() + "." + Long.toHexString(System.nanoTime()))
                            .withNamespace(metadata.getNamespace())
                            .endMetadata()
                            .withType("Warning")
                            .withReason(reason)
                            .withAction(action)
                            .withNote(PlainText.first(note, NOTE_LIMIT))
                            .withEventTime(new MicroTime(clock.instant()
                                    .truncatedTo(ChronoUnit.MICROS)
                                    .toString()))
                            .withReportingController("codeforge.dev/operator")
                            .withReportingInstance(instance)
                            .withRegarding(new ObjectReferenceBuilder()
                                    .withApiVersion(about.getApiVersion())
                                    .withKind(about.getKind())
                                    .withName(metadata.getName())
                                    .withNamespace(metadata.getNamespace())
                                    .withUid(metadata.getUid())
                                    .build())
                            .build())
                    .create();
        } catch (KubernetesClientException e) {
            LOG.warn("event {} on {} was not written: {}", reason, metadata.getName(), e.getMessage());
        }
    }
}
