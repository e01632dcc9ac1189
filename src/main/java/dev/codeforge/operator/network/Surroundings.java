package dev.codeforge.operator.network;

import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a policy must know that the pool does not say.
 *
 * @param natsUrl as the workers have it
 * @param apiServer where the API server is, which no worker may reach
 */
public record Surroundings(String natsUrl, Set<InetAddress> apiServer) {
    /** @param apiServer addresses; what is none is left out, such as the name of a server outside of the cluster */
    public static Surroundings of(String natsUrl, Collection<String> apiServer) {
        return new Surroundings(
                natsUrl,
                apiServer.stream()
                        .filter(Objects::nonNull)
                        .filter(text -> text.matches("[0-9.]+|\\[?[0-9a-fA-F:.]*:[0-9a-fA-F:.]*]?"))
                        .flatMap(text -> Addresses.read(text).stream())
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /** Never reached, whoever names it. */
    boolean isForbidden(InetAddress address) {
        return apiServer.contains(address)
                || address.isLoopbackAddress()
                || List.of(Addresses.METADATA_IPV4, Addresses.METADATA_IPV6).stream()
                        .flatMap(List::stream)
                        .anyMatch(range -> Addresses.contains(range, address));
    }
}
