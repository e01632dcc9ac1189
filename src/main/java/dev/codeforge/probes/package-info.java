/** What the kubelet and Prometheus ask every process of ours. */
@NullMarked
package dev.codeforge.probes;

import org.jspecify.annotations.NullMarked;
