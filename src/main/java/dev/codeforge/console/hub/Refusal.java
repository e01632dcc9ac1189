package dev.codeforge.console.hub;

/** Why a subscription is not opened, or has ended. */
public enum Refusal {
    /** The message is no valid request. */
    Invalid,
    /** The caller may not read this in the namespace, or not any more. */
    Forbidden,
    /** Entries after the named sequence are no longer kept. */
    TooOld,
    /** The caller has reached a limit. */
    TooMany,
    /** There is no task of that name, or the console does not watch the namespace. */
    NotFound,
    /** The API server did not answer the authorization request. */
    Unavailable
}
