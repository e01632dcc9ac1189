package dev.codeforge.wire;

/** Subjects and stream names. */
public final class Subjects {
    /** Events of tasks: written by workers and the operator, read by the operator. */
    public static final String EVENTS_STREAM = "EVENTS";
    /** The same events by task alone, copied from {@link #EVENTS_STREAM} for all other readers. */
    public static final String RESULTS_STREAM = "RESULTS";

    public static final String LOGS_STREAM = "LOGS";
    public static final String DEADLETTERS_STREAM = "DEADLETTERS";
    public static final String ADVISORIES_STREAM = "ADVISORIES";
    public static final String WORKERS_DURABLE = "workers";
    /** The NATS micro service that takes tasks as requests, and the first token of its subjects. */
    public static final String AGENTS_SERVICE = "agents";

    /** Prefix of every pool's subject; all other subjects are the platform's. */
    public static final String TASKS = "tasks.";

    private Subjects() {}

    public static String poolStream(String namespace, String pool) {
        return "tasks_" + namespace + "_" + pool;
    }

    /** A pool's object store bucket. Neither part has an underscore, so two pools never share a name. */
    public static String filesBucket(String namespace, String pool) {
        return "files_" + namespace + "_" + pool;
    }

    /** The stream of a pool's bucket, as every client names it. */
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

    /** The subject of a run's lines of output. */
    public static String lines(TaskRef task) {
        return "logs." + tokens(task);
    }

    /** The subject that republishes a task's events, independent of its pool. */
    public static String results(String taskId) {
        return "results." + taskId;
    }

    public static String control(TaskRef task) {
        return "control." + tokens(task);
    }

    public static String holder(TaskRef task) {
        return "holder." + tokens(task);
    }

    /** The subject for requests to a worker. */
    public static String control(WorkerRef worker) {
        return "control." + worker.namespace() + "." + worker.pool() + ".worker." + worker.pod();
    }

    /** The subject for notices to a pool's workers about changed settings. */
    public static String poolControl(String namespace, String pool) {
        return "control." + namespace + "." + pool + ".pool";
    }

    /** The subject on which the workers of a namespace answer a question. */
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

    /** The subject of task requests for a pool; {@code *} as namespace and pool matches all of them. */
    public static String request(String endpoint, String namespace, String pool) {
        return AGENTS_SERVICE + "." + endpoint + "." + namespace + "." + pool;
    }
}
