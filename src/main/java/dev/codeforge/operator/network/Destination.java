package dev.codeforge.operator.network;

import java.net.InetAddress;

/** A server that a pool names, as far as a policy can say it: a policy knows namespaces, addresses and ports, and no names. */
sealed interface Destination {
    /** An address that is given as such. */
    record Address(InetAddress address, int port) implements Destination {}

    /** A Service of the cluster. Its port may be another than that of its pods, which is the one that a policy means. */
    record Service(String namespace) implements Destination {}

    /** A name that may lead to a private address: somebody has written its port. */
    record AnyHost(int port) implements Destination {}
}
