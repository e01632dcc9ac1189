package dev.codeforge.wire;

import java.util.HashMap;
import java.util.Map;

/** A pool's settings as workers read them: a JSON object whose values are strings. */
public final class PoolConfig {
    /** Jackson reads into a class, not into a type with arguments. */
    private static final class Settings extends HashMap<String, String> {
        private static final long serialVersionUID = 1L;
    }

    private PoolConfig() {}

    /** Empty for anything else, such as a deleted key's marker; the operator then writes the settings again. */
    public static Map<String, String> parse(byte[] body) {
        try {
            return Map.copyOf(Json.read(body == null ? new byte[0] : body, Settings.class));
        } catch (UnreadableMessageException e) {
            return Map.of();
        }
    }

    public static byte[] toJson(Map<String, String> settings) {
        return Json.write(settings);
    }
}
