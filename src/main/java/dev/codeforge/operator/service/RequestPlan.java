package dev.codeforge.operator.service;

import dev.codeforge.api.AgentTask;

/** The next step for a request. */
sealed interface RequestPlan {

    /** The request gets no task. */
    record Refuse(Refusal refusal) implements RequestPlan {}

    /** The answer is the task's name. */
    record Accept(AgentTask task) implements RequestPlan {}

    /** The answer is the outcome, which exists. */
    record Answer(AgentTask task) implements RequestPlan {}

    /** The answer follows when the task ends. */
    record Wait(AgentTask task) implements RequestPlan {}

    /** An input is missing; plan again with the answer. */
    sealed interface Question extends RequestPlan {}

    /** Find the task with the request's name. */
    record Find() implements Question {}

    /** Create the task, or find the existing one with its name. */
    record Create() implements Question {}
}
