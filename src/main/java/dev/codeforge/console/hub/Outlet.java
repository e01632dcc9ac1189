package dev.codeforge.console.hub;

import java.util.List;

/** A client's connection. */
public interface Outlet {
    /**
     * Starts to send the messages, in order; only one send runs at a time. Calls {@code sent} when the connection
     * accepts more.
     */
    void send(List<Message> messages, Runnable sent);

    /** Closes the connection with this reason. */
    void close(Closing why);
}
