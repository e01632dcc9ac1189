package dev.codeforge.operator.network;

import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Facts that a policy needs besides the pool.
 *
 * @param natsUrl the address that workers use
 * @param apiServer addresses of the API server, which workers must not reach
 */
public record Surroundings(String natsUrl, Set<InetAddress> apiServer) {
    /** @param apiServer addresses; anything else, such as the name of a server outside of the cluster, is ignored */
    public static Surroundings of(String natsUrl, Collection<String> apiServer) {
        return new Surroundings(
                natsUrl,
                apiServer.stream()
                        .filter(Objects::nonNull)
                        .filter(text -> text.matches("[0-9.]+|\\[?[0-9a-fA-F:.]*:[0-9a-fA-F:.]*]?"))
                        .flatMap(text -> Addresses.read(text).stream())
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /** True for an address that is never allowed, whatever the pool names. */
    boolean isForbidden(InetAddress address) {
        return apiServer.contains(address)
                || address.isLoopbackAddress()
                || List.of(Addresses.METADATA_IPV4, Addresses.METADATA_IPV6).stream()
                        .flatMap(List::stream)
                        .anyMatch(range -> Addresses.contains(range, address));
    }
}
