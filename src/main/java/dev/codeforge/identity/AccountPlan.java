package dev.codeforge.identity;

/** What to do with an account of the server. */
public sealed interface AccountPlan {
    /** It is as wanted. */
    record Keep() implements AccountPlan {}

    /** Give the server this JWT of it. */
    record Push(String jwt) implements AccountPlan {}

    /** Give the server this request to forget it. */
    record Delete(String jwt) implements AccountPlan {}
}
