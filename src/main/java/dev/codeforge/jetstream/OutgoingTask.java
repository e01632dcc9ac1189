package dev.codeforge.jetstream;

import java.util.Map;

/** A task message ready to send; the message id and the expectations are set by {@link TaskQueue#publish}. */
public record OutgoingTask(String subject, String messageId, Map<String, String> headers, byte[] body) {}
