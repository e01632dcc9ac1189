package dev.codeforge.operator.status;

/** Every reason in a condition or an event of the operator, with its meaning and remedy. */
public enum Reason {
    // Tasks
    PoolNotFound("The task's WorkerPool does not exist.", "Create the pool, or delete the task and name another."),
    PoolNotReady("The pool's queue does not exist yet.", "See the pool's QueueReady condition."),
    PoolTerminating("The pool is being deleted and accepts no new task.", "Create the task on another pool."),
    QueueFull(
            "The pool's queue has reached its limit.",
            "Wait, or raise spec.queue.maxMessages or maxBytes of the pool."),
    SubjectOccupied(
            "Another message already occupies the task's subject.",
            "Delete that message (nats stream rmm), or wait until a worker has run it."),
    Queued("The task waits for a worker.", "Nothing; see the pool if it takes long."),
    Running("A worker runs the task.", "Nothing; kubectl logs of status.podName shows its output."),
    Released("The worker had to stop and released the task; another worker takes it.", "Nothing."),
    Disrupted(
            "The pod that ran the task was removed; another pod runs the task, and the lost run does not count.",
            "Nothing; set onEviction of the pool to GiveBack if its nodes disappear sooner than their pods' grace period."),
    Cancelling("The task is cancelled.", "Wait for the worker to stop the agent."),
    Suspending("The task is being suspended.", "Wait for the worker to stop the agent."),
    TimingOut("The run takes too long.", "Wait for the worker to stop the agent."),
    Retrying(
            "An attempt failed and another follows.", "Wait until status.nextAttemptTime, or set spec.cancel to true."),
    DuplicateOf(
            "Another task has the same idempotencyKey and has not ended.",
            "Wait: this task takes over the other one's end; repeatPolicy decides whether it runs after a failure."),
    SessionBusy(
            "Another task of the same session goes first: a session's tasks run one at a time, in the order of their creation.",
            "Wait until it has ended, or cancel or delete it; one that is suspended blocks the session until it is resumed."),
    Succeeded("The agent finished.", "See status.result."),
    Adopted(
            "An earlier task with the same idempotencyKey has ended; this task has its end, and nothing was run.",
            "Give spec.rerun a new value to do the work once more, or create the task with another idempotencyKey, or with the repeatPolicy that allows it."),
    Cancelled("The task was cancelled.", "Set spec.cancel to false and spec.rerun to a new value to run it again."),
    QueueTimeout(
            "No worker took the task in time.",
            "See whether the pool has workers, or raise queueTimeoutSeconds; give spec.rerun a new value to run the task again."),
    NotAfterPassed(
            "The task's notAfter passed before an attempt began; nothing was run.",
            "Create the task anew with a later notAfter, or without one, if the work is still wanted."),
    RunTimeout("The run took too long.", "Raise runTimeoutSeconds, or ask for less."),
    MayHaveRun(
            "The worker of an AtMostOnce task was lost during the run.",
            "Check what the run did; give spec.rerun a new value to run the task again."),
    OutOfMemory(
            "The run exceeded its container's memory limit.",
            "Raise resources.limits.memory in spec.template of the pool, or ask for less; give spec.rerun a new value to run the task again."),
    OutOfDisk(
            "The run filled its disk.",
            "Give the volume more space in spec.template of the pool, or ask for less; give spec.rerun a new value to run the task again."),
    MaxDeliveriesExceeded(
            "The task's workers were lost too often.",
            "Read the workers' logs, memory is the usual cause; give spec.rerun a new value to run the task again."),
    BudgetExceeded(
            "The task has used what its budget allows.",
            "See status.usage; create a task with a higher budget, or give spec.rerun a new value to allow as much again."),
    IdempotencyKeyReused(
            "The idempotencyKey belongs to other work.",
            "Create the task with a key of its own; a key belongs to one pool, prompt, model, config, workspace and session."),
    PoolDeleted("The pool was deleted before the task ended.", "Create the task on another pool."),
    TaskTooLarge(
            "The task's message exceeds NATS's limit.",
            "Shorten spec.prompt and spec.config, or raise max_payload of NATS; then create the task again."),
    DeadLettered(
            "A message cannot be run and was moved to the dead letters.",
            "Read the stream DEADLETTERS; correct its sender."),
    // Tasks and pools
    StatusRefused(
            "The API server refused the status; a smaller one without the worker's text was written.",
            "Read the outcome on the task's subject of the stream RESULTS, or in the worker's log; the message repeats the API server's reason."),
    RightMissing(
            "The operator lacks a right.",
            "Give its service account what the message names: the chart's roles have it, see watchNamespaces."),
    RequestRefused(
            "The API server, a quota or a policy refuses a write of the operator.",
            "Correct what the message names; the operator retries within a minute."),
    ApiServerUnavailable(
            "The API server does not complete the operator's requests.",
            "Wait: the operator retries within a minute; check the API server if this persists."),
    OperatorError(
            "The operator failed to reconcile the resource; it retries within a minute.",
            "Report it with the message and the operator's log."),
    // Pools
    WorkersReady("All wanted workers accept tasks.", "Nothing."),
    ScalingDecides(
            "spec.scaling decides the number of workers, and spec.replicas is ignored.",
            "Set minReplicas and maxReplicas, or remove scaling to use replicas again."),
    ScaledToZero("No task waits and no worker runs.", "Nothing: the next task starts one."),
    WorkersStarting("Workers are being started.", "Wait; see the pods if it takes long."),
    WorkersFailing(
            "A worker cannot start.",
            "Read the condition's message; correct spec.template, or the image, Secret, ConfigMap or volume that it names."),
    WorkersRefused(
            "The cluster refuses the pool's pods: a quota, Pod Security, an admission webhook or an admission policy.",
            "Read the condition's message; raise the quota, or correct spec.template or the chart's workerDefaults."),
    WorkersUnschedulable(
            "The cluster has no room for a worker; the operator requests no more.",
            "Add a node, or lower the requests in spec.template, or maxReplicas."),
    QueueReady("Stream and consumer exist.", "Nothing."),
    QueueUnavailable(
            "NATS does not answer; nothing fails and nothing scales.",
            "Check NATS and the operator's connection Secret."),
    NatsRefused(
            "NATS refuses a request of the operator, and nothing fails meanwhile.",
            "Change what the message names: the operator tries again, after a minute at the latest."),
    QueueRefused("NATS refuses the stream's or consumer's settings.", "Correct spec.queue as the message says."),
    SubjectTaken(
            "Another stream has the pool's subject.",
            "Give this pool a spec.queue.subject of its own, or the operator a subjectTemplate with {namespace} and {pool}."),
    SubjectReserved(
            "The pool's subject belongs to the platform, or to another namespace.",
            "Create the pool again with a spec.queue.subject of tasks.<its namespace>.<name> that the operator's subjectTemplate gives to no other pool, or without one."),
    SharedNatsUser(
            "The workers of several pools are one user of NATS; pools of a second namespace are refused, unless they may share it.",
            "Set nats.sharedUser of the chart if all pools may read each other's tasks, or let the chart run NATS (nats.enabled)."),
    SharedNatsAccount(
            "The workers of several namespaces are users of one NATS account without JetStream.",
            "Give each namespace an account of its own in the connection Secret (account-<namespace>.jwt and account-<namespace>.nk) if they do not trust each other."),
    SharedStreamsAccount(
            "The workers of several pools are users of one NATS account with JetStream, where permissions do not contain a worker that is taken over.",
            "Give workers an account without JetStream (workers.jwt and workers.nk of the connection Secret), or each namespace one."),
    NatsAccountMissing(
            "The connection Secret has no NATS account for the pool's namespace.",
            "Add the keys that the message names, and restart the operator."),
    NatsAccountPending(
            "NATS does not have the current account of the pool's namespace, and may refuse its workers.",
            "Check that NATS trusts the operator's key (Secret codeforge-nats-identity, or operator-signing-key.nk of the connection Secret) and has a resolver of type full."),
    InvalidTemplate("spec.template is not a valid PodTemplateSpec.", "Correct it as the message says."),
    Confined("Agents reach nothing but their own run.", "Nothing."),
    WallsMissing(
            "Agents can reach something beyond their own run.",
            "Read the condition's message; set isolation.agent to Required to have no task run so."),
    IsolationOff(
            "Agents have all rights of their worker.",
            "Remove isolation.agent, or allow only tasks, repositories and models that you trust."),
    Suspended("spec.suspend is true: a pool dispatches no tasks, a task does not run.", "Set spec.suspend to false."),
    NotSuspended("The pool dispatches tasks.", "Nothing."),
    Draining("The pool is being deleted and waits for its tasks.", "Wait, or set deletionPolicy to Delete.");

    private final String meaning;
    private final String remedy;

    Reason(String meaning, String remedy) {
        this.meaning = meaning;
        this.remedy = remedy;
    }

    public String meaning() {
        return meaning;
    }

    public String remedy() {
        return remedy;
    }

    /** Meaning and remedy as one message. */
    public String sentence() {
        return meaning + " " + remedy;
    }
}
