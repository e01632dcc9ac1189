package dev.codeforge.operator.framework;

import io.javaoperatorsdk.operator.processing.event.ResourceID;

/** A pool's key in indexes of other resources. */
public final class PoolKey {
    private PoolKey() {}

    public static String of(ResourceID pool) {
        return pool.getNamespace().orElse("") + "/" + pool.getName();
    }
}
