package dev.codeforge.jetstream;

import java.util.Map;

/** What running workers are told without a restart: the settings of their pool. */
public interface PoolConfigs {
    /**
     * Stores a pool's settings and tells its workers, if they differ from what is stored. Costs one read when they do not.
     *
     * @throws QueueUnavailableException when NATS does not answer, or another operator wrote meanwhile: call it again
     */
    void keep(String namespace, String pool, Map<String, String> settings);
}
