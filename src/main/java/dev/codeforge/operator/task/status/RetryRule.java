package dev.codeforge.operator.task.status;

import dev.codeforge.api.Retry;
import dev.codeforge.wire.TaskEvent;

/** Which failures another attempt follows. */
public final class RetryRule {
    private RetryRule() {}

    /** @param failures this one among them */
    public static boolean isRetried(TaskEvent failed, Retry retry, int failures) {
        return failed.failure() != null
                && (failed.failure().retryable() || retry.retryable().contains(failed.failureType()))
                && !retry.nonRetryable().contains(failed.failureType())
                && failures < retry.maxAttempts();
    }
}
