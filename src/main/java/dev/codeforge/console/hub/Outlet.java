package dev.codeforge.console.hub;

import java.util.List;

/** A client's connection. */
public interface Outlet {
    /** Begins to send, in this order; one send is under way at a time. Calls back when the connection takes more. */
    void send(List<Message> messages, Runnable sent);

    /** Ends the connection and says why. */
    void close(Closing why);
}
