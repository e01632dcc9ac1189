package dev.codeforge.operator.framework;

import io.javaoperatorsdk.operator.processing.event.ResourceID;

/** A pool's key in the indexes of what belongs to it. */
public final class PoolKey {
    private PoolKey() {}

    public static String of(ResourceID pool) {
        return pool.getNamespace().orElse("") + "/" + pool.getName();
    }
}
