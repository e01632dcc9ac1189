package dev.codeforge.operator.network;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Address ranges: public ones, and those that a worker must not reach. */
final class Addresses {
    static final String ALL_IPV4 = "0.0.0.0/0";
    static final String ALL_IPV6 = "::/0";
    /** The globally routed range. */
    static final String PUBLIC_IPV6 = "2000::/3";
    /** The usual address of a DNS cache on the node. */
    static final String NODE_LOCAL_DNS = "169.254.20.10/32";

    /** Addresses where clouds give a machine its credentials: the link-local range and provider-specific ones. */
    static final List<String> METADATA_IPV4 =
            List.of("100.100.100.200/32", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.192/32");

    /** The third is the link-local range behind NAT64. */
    static final List<String> METADATA_IPV6 =
            List.of("fd00:ec2::254/128", "fd20:ce::254/128", "64:ff9b::a9fe:0/112", "fe80::/10");

    /** Not public, besides the metadata addresses: loopback, private, shared, reserved, multicast. */
    static final List<String> PRIVATE_IPV4 = List.of(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "224.0.0.0/3");

    private Addresses() {}

    /** Empty if the text is no address. Never resolves a name, because the text has only digits and colons. */
    static Optional<InetAddress> read(String text) {
        try {
            return Optional.of(InetAddress.getByName(text));
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
    }

    static boolean isIpv6(InetAddress address) {
        return address.getAddress().length > 4;
    }

    static String only(InetAddress address) {
        return address.getHostAddress() + (isIpv6(address) ? "/128" : "/32");
    }

    static boolean contains(String range, InetAddress address) {
        final String[] parts = range.split("/");
        return read(parts[0])
                .map(InetAddress::getAddress)
                .filter(first -> first.length == address.getAddress().length)
                .filter(first -> {
                    final int rest = first.length * Byte.SIZE - Integer.parseInt(parts[1]);
                    return new BigInteger(1, first)
                            .shiftRight(rest)
                            .equals(new BigInteger(1, address.getAddress()).shiftRight(rest));
                })
                .isPresent();
    }

    /** The ranges and addresses that lie within a range, in a stable order. */
    static List<String> within(String range, List<String> ranges, Collection<InetAddress> addresses) {
        return Stream.concat(
                        ranges.stream(),
                        addresses.stream()
                                .filter(address -> contains(range, address))
                                .map(Addresses::only))
                .distinct()
                .sorted()
                .toList();
    }
}
