package dev.codeforge.soak;

/** What is checked at the end. */
enum Promise {
    ENDED("every task ended"),
    ENDED_RIGHTLY("every task ended as its kind must"),
    ATTEMPTS("every task had the attempts that its kind needs"),
    RAN("who succeeded had run to its end"),
    NOT_AFTER_END("nobody ran after the end of the attempt"),
    REPEATS_EXPLAINED("every repeated run had lost its worker"),
    AT_MOST_ONCE("AtMostOnce never ran twice"),
    KEY_PAID_ONCE("of one key one task ran"),
    WORK_KEPT("who has pushed finds the commit on the branch"),
    WORK_ONCE("no branch has the work of two paid runs"),
    TERMINAL_STAYS("a terminal status stays as it is"),
    ONLY_KNOWN("only accepted tasks ran"),
    STREAMS_EMPTY("the streams are empty"),
    QUIET("nothing is written once all is settled");

    private final String sentence;

    Promise(String sentence) {
        this.sentence = sentence;
    }

    @Override
    public String toString() {
        return sentence;
    }
}
