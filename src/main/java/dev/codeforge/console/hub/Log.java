package dev.codeforge.console.hub;

import dev.codeforge.wire.TaskRef;
import java.util.Set;

/** The lines of a watched task. Guarded by the hub's lock. */
record Log(TaskRef task, Set<Reception> receptions, Feed feed) {}
