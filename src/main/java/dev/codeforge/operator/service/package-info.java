/** Request-reply: a task asked for over NATS, without Kubernetes, and its outcome as the answer. */
@NullMarked
package dev.codeforge.operator.service;

import org.jspecify.annotations.NullMarked;
