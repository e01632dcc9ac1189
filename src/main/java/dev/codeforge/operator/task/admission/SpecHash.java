package dev.codeforge.operator.task.admission;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.codeforge.api.AgentTaskSpec;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeMap;

/**
 * Hash of the work that an idempotency key identifies: pool, prompt, model, config, workspace and session as written,
 * not as resolved.
 */
public final class SpecHash {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    private SpecHash() {}

    /** Lowercase hexadecimal SHA-256. */
    public static String of(AgentTaskSpec spec) {
        final TreeMap<String, Object> covered = new TreeMap<>();
        covered.put("pool", spec.workerPoolRef().name());
        covered.put("prompt", spec.prompt());
        covered.put("model", spec.model());
        covered.put("config", spec.config());
        covered.put("workspace", spec.workspace());
        if (!spec.sessionName().isEmpty()) {
            // Only if present: hashes in the ledger may be older than sessions.
            covered.put("session", spec.sessionName());
        }
        try {
            final byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(JSON.writeValueAsString(covered).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (JsonProcessingException | NoSuchAlgorithmException e) {
            throw new IllegalStateException("a spec that was read cannot be written", e);
        }
    }
}
