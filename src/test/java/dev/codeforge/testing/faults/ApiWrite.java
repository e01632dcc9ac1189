package dev.codeforge.testing.faults;

import java.time.Instant;

/**
 * A write that was asked for.
 *
 * @param status of the server's answer, or of the fault's; 0 when the server never heard of it, or gave none
 */
public record ApiWrite(Instant time, ApiRequest request, int status) {
    private static final int REDIRECTS = 300;

    /** Whether the server did it. */
    public boolean isDone() {
        return status > 0 && status < REDIRECTS;
    }
}
