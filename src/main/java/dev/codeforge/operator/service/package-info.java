/** Request-reply: a client requests a task over NATS, without Kubernetes, and gets its outcome as the answer. */
@NullMarked
package dev.codeforge.operator.service;

import org.jspecify.annotations.NullMarked;
