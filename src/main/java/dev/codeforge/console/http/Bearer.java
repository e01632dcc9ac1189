package dev.codeforge.console.http;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The token comes in the header {@code Authorization} and never in a URL, because proxies log URLs. */
final class Bearer {
    private static final String SCHEME = "Bearer ";

    private Bearer() {}

    static Optional<String> token(@Nullable String authorization) {
        return Optional.ofNullable(authorization)
                .filter(header -> header.regionMatches(true, 0, SCHEME, 0, SCHEME.length()))
                .map(header -> header.substring(SCHEME.length()).strip())
                .filter(token -> !token.isEmpty());
    }
}
