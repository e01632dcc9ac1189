package dev.codeforge;

final class Main {}
