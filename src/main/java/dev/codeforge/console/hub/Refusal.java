package dev.codeforge.console.hub;

/** Why a subscription is not opened, or has ended. */
public enum Refusal {
    /** The message is no request. */
    Invalid,
    /** The caller may not read this in the namespace, or not any more. */
    Forbidden,
    /** What came after the named sequence is not kept any more. */
    TooOld,
    /** The caller has as many as are allowed. */
    TooMany,
    /** There is no task of that name, or the console does not watch the namespace. */
    NotFound,
    /** The API server did not answer whether the caller may. */
    Unavailable
}
