package dev.codeforge.testing;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** Ports for processes that are told theirs. */
public final class FreePort {
    private static final int FIRST = 15_000;
    /** The worker's tests have the ports above those of the last fork. */
    private static final int FORKS = 8;

    private static final int COUNT = 1_000;
    private static final int OF_THIS_FORK = FIRST + Integer.getInteger("codeforge.fork", 0) % FORKS * COUNT;
    private static final AtomicInteger NEXT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(COUNT));

    private FreePort() {}

    /**
     * A port that nobody listens on. It is below the range that outgoing connections and sockets bound to port 0 take theirs
     * from, no other JVM of the tests takes it, and it is given once: nobody gets it between now and its use.
     */
    public static int take() {
        while (true) {
            final int port = OF_THIS_FORK + Math.floorMod(NEXT.getAndIncrement(), COUNT);
            try (ServerSocket socket = new ServerSocket(port)) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // The next one, then.
            }
        }
    }
}
