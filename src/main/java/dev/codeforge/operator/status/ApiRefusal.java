package dev.codeforge.operator.status;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.Set;
import java.util.regex.Pattern;

/** Answers of the API server that the same request would get again. */
public final class ApiRefusal {
    private static final int BAD_REQUEST = 400;
    private static final int TOO_LARGE = 413;
    private static final int UNPROCESSABLE = 422;
    private static final Set<Integer> CODES = Set.of(BAD_REQUEST, TOO_LARGE, UNPROCESSABLE);
    /**
     * The API server answers 500 to an apply with an unknown field or a wrong type, and to an object too large for
     * etcd.
     */
    private static final Pattern WORDS = Pattern.compile(
            "failed to create typed (?:patch|live) object|request is too large|message larger than max");

    private ApiRefusal() {}

    public static boolean is(KubernetesClientException answer) {
        return CODES.contains(answer.getCode())
                || WORDS.matcher(String.valueOf(answer.getMessage())).find();
    }

    /** The server's message, if it has one. */
    static String words(KubernetesClientException answer) {
        final String own =
                answer.getStatus() == null ? null : answer.getStatus().getMessage();
        final String all = own == null || own.isBlank() ? String.valueOf(answer.getMessage()) : own;
        return answer.getCode() + ": " + all;
    }
}
