package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;

/** What is done with a request. */
sealed interface RequestPlan {

    /** There is no task for it. */
    record Refuse(Refusal refusal) implements RequestPlan {}

    /** It is answered with the task's name. */
    record Accept(AgentTask task) implements RequestPlan {}

    /** It is answered with the outcome, which is there. */
    record Answer(AgentTask task) implements RequestPlan {}

    /** It is answered when the task ends. */
    record Wait(AgentTask task) implements RequestPlan {}

    /** Something must be known, or done, before the rest can be decided. */
    sealed interface Question extends RequestPlan {}

    /** Which task has the name? */
    record Find() implements Question {}

    /** Create the task, unless one has the name: which one has it then? */
    record Create() implements Question {}
}
