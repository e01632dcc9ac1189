package dev.codeforge.testing;

import dev.codeforge.jetstream.WorkerControl;
import dev.codeforge.wire.TaskRef;
import dev.codeforge.wire.WorkerRef;
import java.time.Duration;
import java.util.Optional;

/** Nobody runs anything; a test that asks a worker says what it answers. */
public class NoWorkers implements WorkerControl {
    @Override
    public Optional<Holder> holder(TaskRef task, Duration timeout) {
        return Optional.empty();
    }

    @Override
    public boolean cancel(TaskRef task, int attempt, String type, String reason) {
        return false;
    }

    @Override
    public Optional<Answer> look(WorkerRef worker, Duration timeout) {
        throw notAsked();
    }

    @Override
    public Optional<Answer> drain(WorkerRef worker, Duration lease, Duration timeout) {
        throw notAsked();
    }

    @Override
    public Optional<Answer> finish(WorkerRef worker, Duration lease, Duration timeout) {
        throw notAsked();
    }

    @Override
    public Optional<Answer> leave(WorkerRef worker, Duration grace, Duration timeout) {
        throw notAsked();
    }

    @Override
    public Optional<Answer> resume(WorkerRef worker, Duration timeout) {
        throw notAsked();
    }

    private static UnsupportedOperationException notAsked() {
        return new UnsupportedOperationException("this test asks no worker for that");
    }
}
