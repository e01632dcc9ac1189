package dev.codeforge.identity;

/** What to do with an account on the server. */
public sealed interface AccountPlan {
    /** The account is as wanted. */
    record Keep() implements AccountPlan {}

    /** Send the server this JWT of the account. */
    record Push(String jwt) implements AccountPlan {}

    /** Send the server this request to delete the account. */
    record Delete(String jwt) implements AccountPlan {}
}
