package dev.codeforge.wire;

/** Subjects and stream names. */
public final class Subjects {
    /** What happened to tasks: written by workers and the operator, read by the operator. */
    public static final String EVENTS_STREAM = "EVENTS";
    /** The same events by task alone, copied from {@link #EVENTS_STREAM} for everybody else. */
    public static final String RESULTS_STREAM = "RESULTS";

    public static final String LOGS_STREAM = "LOGS";
    public static final String DEADLETTERS_STREAM = "DEADLETTERS";
    public static final String ADVISORIES_STREAM = "ADVISORIES";
    public static final String WORKERS_DURABLE = "workers";
    /** The NATS micro service that takes tasks as requests, and the first token of its subjects. */
    public static final String AGENTS_SERVICE = "agents";

    /** What the subject of every pool begins with: all others are the platform's. */
    public static final String TASKS = "tasks.";

    private Subjects() {}

    public static String poolStream(String namespace, String pool) {
        return "tasks_" + namespace + "_" + pool;
    }

    /** A pool's object store bucket. Neither part has an underscore, so two pools never share a name. */
    public static String filesBucket(String namespace, String pool) {
        return "files_" + namespace + "_" + pool;
    }

    /** The stream behind a pool's bucket, as every client names it. */
    public static String filesStream(String namespace, String pool) {
        return "OBJ_" + filesBucket(namespace, pool);
    }

    public static String task(String poolSubject, String taskId) {
        return poolSubject + "." + taskId;
    }

    /** The task id in {@code <subject of the pool>.<task_id>}. */
    public static String taskIdOfMessage(String subject) {
        return subject.substring(subject.lastIndexOf('.') + 1);
    }

    public static String events(TaskRef task) {
        return "events." + tokens(task);
    }

    /** The task of {@code events.<namespace>.<pool>.<task_id>}. */
    public static TaskRef taskOfEvent(String subject) {
        final String[] tokens = subject.split("\\.");
        return new TaskRef(tokens[1], tokens[2], tokens[3]);
    }

    /** Where a run's lines of output go. */
    public static String lines(TaskRef task) {
        return "logs." + tokens(task);
    }

    /** Where everybody hears a task's events, whatever its pool. */
    public static String results(String taskId) {
        return "results." + taskId;
    }

    public static String control(TaskRef task) {
        return "control." + tokens(task);
    }

    public static String holder(TaskRef task) {
        return "holder." + tokens(task);
    }

    /** Where a worker is asked. */
    public static String control(WorkerRef worker) {
        return "control." + worker.namespace() + "." + worker.pool() + ".worker." + worker.pod();
    }

    /** Where a pool's workers are told that its settings have changed. */
    public static String poolControl(String namespace, String pool) {
        return "control." + namespace + "." + pool + ".pool";
    }

    /** Where the workers of a namespace answer one question. */
    public static String answers(String namespace, String question) {
        return "answers." + namespace + "." + question;
    }

    private static String tokens(TaskRef task) {
        return task.namespace() + "." + task.pool() + "." + task.id();
    }

    /** The key of a pool's settings in the key-value bucket {@code config}. */
    public static String poolConfigKey(String namespace, String pool) {
        return namespace + "." + pool;
    }

    public static String deadLetters(String namespace, String pool) {
        return "deadletters." + namespace + "." + pool;
    }

    /** Where a task for a pool is asked for; {@code *} as namespace and pool stands for all of them. */
    public static String request(String endpoint, String namespace, String pool) {
        return AGENTS_SERVICE + "." + endpoint + "." + namespace + "." + pool;
    }
}
