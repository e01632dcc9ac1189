package dev.codeforge.operator.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.codeforge.jetstream.Results;
import dev.codeforge.jetstream.Results.StoredEvent;
import dev.codeforge.wire.TaskRef;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ResultInboxTest {
    private final ResultInbox inbox = new ResultInbox();
    private final List<Long> acknowledged = new ArrayList<>();

    @Test
    void whatAStatusCoversIsAcknowledgedAndNothingElse() {
        inbox.put(delivery("a", 3));
        inbox.put(delivery("a", 5));
        inbox.put(delivery("b", 4));
        inbox.settle("a", 4);
        assertThat(acknowledged).containsExactly(3L);
        assertThat(inbox.of("a")).hasSize(1);
        assertThat(inbox.of("b")).hasSize(1);
    }

    @Test
    void anEventIsAcknowledgedOnce() {
        inbox.put(delivery("a", 3));
        inbox.settle("a", 3);
        inbox.settle("a", 3);
        assertThat(acknowledged).containsExactly(3L);
        assertThat(inbox.of("a")).isEmpty();
    }

    @Test
    void aRedeliveryTakesThePlaceOfTheFirst() {
        inbox.put(delivery("a", 3));
        inbox.put(delivery("a", 3));
        assertThat(inbox.of("a")).hasSize(1);
        inbox.settle("a", Long.MAX_VALUE);
        assertThat(acknowledged).containsExactly(3L);
    }

    @Test
    void aTaskWithoutEventsHasNothingToSettle() {
        inbox.settle("unknown", Long.MAX_VALUE);
        assertThat(acknowledged).isEmpty();
        assertThat(inbox.of("unknown")).isEmpty();
    }

    private Results.Delivery delivery(String task, long sequence) {
        return new Results.Delivery() {
            @Override
            public StoredEvent event() {
                return new StoredEvent(new TaskRef("ns", "pool", task), sequence, Instant.EPOCH, new byte[0], "");
            }

            @Override
            public void ack() {
                acknowledged.add(sequence);
            }
        };
    }
}
