package dev.codeforge.jetstream;

/**
 * The object store buckets of pools, where workers keep what is too large for a result. Every method throws
 * {@link QueueUnavailableException} when NATS does not answer.
 */
public interface Files {

    /**
     * Makes the pool's bucket, or corrects what drifted. A settled one costs one read.
     *
     * @throws QueueRefusedException when there is no room for it, or another installation has one of that name
     */
    void ensure(FilesSettings settings);

    /** Removes one file of the pool. Missing, or no bucket, is no error. */
    void forget(String namespace, String pool, String name);

    /** Deletes the pool's bucket with all that is in it. Missing, or another installation's, is no error. */
    void remove(String namespace, String pool, String installation);
}
