package dev.codeforge.console.hub;

/** What is counted. */
public interface Traffic {
    void sent(int messages);

    void gap();

    void dropped();
}
