package dev.codeforge.testing;

import java.io.IOException;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports for processes that are told theirs. They are below the range that outgoing connections and sockets bound to port 0
 * take theirs from.
 */
public final class FreePort {
    /** The worker's tests have the ports above those of the last block. */
    private static final int FIRST = 15_000;

    private static final int BLOCKS = 16;
    private static final int COUNT = 500;
    /** Holds this JVM's block as long as it lives: whoever else tests on this machine takes another one. */
    private static final ServerSocket BLOCK = block();

    private static final AtomicInteger NEXT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(COUNT));

    private FreePort() {}

    /** A port that nobody listens on, given once: nobody of the tests gets it between now and its use. */
    public static int take() {
        while (true) {
            final int port = BLOCK.getLocalPort() + Math.floorMod(NEXT.getAndIncrement(), COUNT);
            try (ServerSocket socket = new ServerSocket(port)) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // The next one, then.
            }
        }
    }

    private static ServerSocket block() {
        for (int block = 0; block < BLOCKS; block++) {
            try {
                return new ServerSocket(FIRST + block * COUNT);
            } catch (IOException taken) {
                // The next one, then.
            }
        }
        throw new IllegalStateException("all blocks of ports from " + FIRST + " are taken: end the other tests");
    }
}
