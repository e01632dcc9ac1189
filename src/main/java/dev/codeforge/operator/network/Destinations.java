package dev.codeforge.operator.network;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Finds the servers in a pool's settings. Text that names no server is ignored, because a variable may contain
 * anything.
 */
final class Destinations {
    private static final int LAST_PORT = 65_535;
    private static final int SSH = 22;
    private static final int HTTPS = 443;
    private static final Map<String, Integer> PORTS =
            Map.of("http", 80, "https", HTTPS, "ssh", SSH, "git+ssh", SSH, "nats", 4222, "tls", 4222);

    private static final Pattern URL =
            Pattern.compile("([a-z][a-z0-9+.-]*)://(?:[^/?#\\s]*@)?([^/?#\\s@]+)(?:[/?#].*)?");
    /** git's form of an SSH address: user@host:path. */
    private static final Pattern SCP = Pattern.compile("[^/:@\\s]+@([^/:@\\s]+):.*");

    private static final Pattern SERVER =
            Pattern.compile("(?:\\[([0-9a-fA-F:.]+)]|([A-Za-z0-9_.-]+))(?::([0-9]{1,5}))?");
    private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private static final Pattern IPV4 = Pattern.compile(OCTET + "(?:\\." + OCTET + "){3}");
    private static final Pattern LABEL = Pattern.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?");
    /** The namespace in {@code service.namespace.svc.cluster.local}. */
    private static final Pattern SERVICE = Pattern.compile("(?:.*\\.)?([^.]+)\\.svc(?:\\..*)?");

    private Destinations() {}

    /** @param namespace the pool's, in which a name without a dot is resolved */
    static List<Destination> ofUrl(String text, String namespace) {
        final Matcher url = URL.matcher(text.strip());
        if (url.matches()) {
            final int usual = PORTS.getOrDefault(url.group(1), 0);
            return Stream.of(url.group(2).split(","))
                    .flatMap(server -> ofServer(server, usual, namespace).stream())
                    .toList();
        }
        final Matcher scp = SCP.matcher(text.strip());
        return scp.matches() ? ofServer(scp.group(1), SSH, namespace) : List.of();
    }

    /** Of an entry of {@code isolation.egress.allow}. */
    static List<Destination> ofEntry(String entry, String namespace) {
        // For a suffix, an arbitrary name below it represents all names.
        return ofServer(entry.startsWith(".") ? "any" + entry : entry, HTTPS, namespace);
    }

    /** @param usual the port if the text has none; 0 for none */
    private static List<Destination> ofServer(String server, int usual, String namespace) {
        final Matcher parts = SERVER.matcher(server);
        if (!parts.matches()) {
            return List.of();
        }
        final int port = parts.group(3) == null ? usual : Integer.parseInt(parts.group(3));
        if (port < 1 || port > LAST_PORT) {
            return List.of();
        }
        if (parts.group(1) != null || IPV4.matcher(parts.group(2)).matches()) {
            return Addresses.read(parts.group(1) == null ? parts.group(2) : parts.group(1)).stream()
                    .<Destination>map(address -> new Destination.Address(address, port))
                    .toList();
        }
        return ofName(parts.group(2).toLowerCase(Locale.ROOT), port, parts.group(3) != null, namespace);
    }

    private static List<Destination> ofName(String name, int port, boolean written, String namespace) {
        final Matcher service = SERVICE.matcher(name);
        if (service.matches()) {
            return services(service.group(1));
        }
        if (name.equals("localhost")) {
            return List.of();
        }
        final List<Destination> found = new ArrayList<>();
        final String[] labels = name.split("\\.");
        if (labels.length <= 2) {
            // The resolver tries a Service first, in the pool's namespace or in the named one.
            found.addAll(services(labels.length == 1 ? namespace : labels[1]));
        }
        if (written || (port != HTTPS && port != SSH)) {
            found.add(new Destination.AnyHost(port));
        }
        return found;
    }

    private static List<Destination> services(String namespace) {
        return LABEL.matcher(namespace).matches() ? List.of(new Destination.Service(namespace)) : List.of();
    }
}
