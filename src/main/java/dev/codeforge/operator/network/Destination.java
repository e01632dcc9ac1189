package dev.codeforge.operator.network;

import java.net.InetAddress;

/** A server that a pool names, as a policy can express it: by namespace, address and port, never by name. */
sealed interface Destination {
    /** A literal address. */
    record Address(InetAddress address, int port) implements Destination {}

    /** A Service of the cluster. Its port may differ from the pods' port, which is what a policy matches. */
    record Service(String namespace) implements Destination {}

    /** A name that may resolve to a private address: only its port is known. */
    record AnyHost(int port) implements Destination {}
}
