package dev.codeforge.testing.faults;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** First line and headers of an HTTP/1.1 request or answer. */
record HttpHead(String line, List<String> headers) {

    /** Empty at the end of the connection. */
    static Optional<HttpHead> read(InputStream in) throws IOException {
        final String line = readLine(in);
        if (line == null) {
            return Optional.empty();
        }
        final List<String> headers = new ArrayList<>();
        while (true) {
            final String header = readLine(in);
            if (header == null) {
                throw new EOFException("cut within the headers of " + line);
            }
            if (header.isEmpty()) {
                return Optional.of(new HttpHead(line, headers));
            }
            headers.add(header);
        }
    }

    /** A line without its end; null at the end of the stream. */
    static String readLine(InputStream in) throws IOException {
        final ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next >= 0; next = in.read()) {
            if (next == '\n') {
                return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
            }
            line.write(next);
        }
        return null;
    }

    /** Empty when the header is not there. */
    String header(String name) {
        final String start = name.toLowerCase(Locale.ROOT) + ":";
        return headers.stream()
                .filter(header -> header.toLowerCase(Locale.ROOT).startsWith(start))
                .map(header -> header.substring(start.length()).strip())
                .findFirst()
                .orElse("");
    }

    boolean isUpgradeTo(String protocol) {
        return header("Upgrade").equalsIgnoreCase(protocol);
    }

    /** Without the offer to go on in HTTP/2, which the proxy does not speak. */
    HttpHead inHttp1() {
        return isUpgradeTo("h2c")
                ? new HttpHead(
                        line,
                        headers.stream()
                                .filter(header -> !header.matches("(?i)(upgrade|http2-settings|connection):.*"))
                                .toList())
                : this;
    }

    /** The same list as it was then. */
    HttpHead asOf(String resourceVersion) {
        final String[] parts = line.split(" ");
        final String[] target = parts[1].split("\\?", 2);
        final String query = (target.length > 1 ? target[1] : "").replaceAll("(limit|resourceVersion\\w*)=[^&]*&?", "");
        return new HttpHead(
                parts[0] + " " + target[0] + "?resourceVersion=" + resourceVersion + "&resourceVersionMatch=Exact&"
                        + query + " " + parts[2],
                headers);
    }

    ApiRequest request() {
        final String[] parts = line.split(" ");
        final String[] target = parts[1].split("\\?", 2);
        return new ApiRequest(parts[0], target[0], target.length > 1 ? target[1] : "");
    }

    /** Of an answer. */
    int status() {
        return Integer.parseInt(line.split(" ")[1]);
    }

    void writeTo(OutputStream out) throws IOException {
        out.write((line + "\r\n"
                        + headers.stream().map(header -> header + "\r\n").collect(java.util.stream.Collectors.joining())
                        + "\r\n")
                .getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }
}
