package dev.codeforge.operator.scaling;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Tasks that come in the course of time. */
record Load(String name, List<Task> tasks) {

    /** How the deliveries of a task end. */
    enum Fate {
        SUCCEEDS,
        /** Given back twice, then done. */
        NAKS,
        /** Takes its worker's process with it each time. */
        KILLS
    }

    /** @param at milliseconds since the start */
    record Task(long at, Duration runs, Fate fate) {}

    /** Twenty times, far apart, and each at another moment between two ticks. */
    static Load one() {
        return new Load(
                "one message at zero, 20 times",
                IntStream.range(0, 20)
                        .mapToObj(i -> new Task(1000 + i * 200_097L, Duration.ofSeconds(10), Fate.SUCCEEDS))
                        .toList());
    }

    static Load burst() {
        return burst("burst of 100", 100, Duration.ofSeconds(10));
    }

    static Load burst(String name, int tasks, Duration runs) {
        return new Load(
                name,
                IntStream.range(0, tasks)
                        .mapToObj(i -> new Task(1000 + i, runs, Fate.SUCCEEDS))
                        .toList());
    }

    /** Ten minutes of one task each two seconds that runs ten: five are busy on average. */
    static Load poisson(long seed) {
        final Random random = new Random(seed);
        final List<Task> tasks = new ArrayList<>();
        for (double at = 1000; at < 600_000; at += -2000 * Math.log(1 - random.nextDouble())) {
            tasks.add(new Task((long) at, Duration.ofSeconds(10), Fate.SUCCEEDS));
        }
        return new Load("Poisson", tasks);
    }

    /** Five times a minute that ends with two tasks a second, and a minute of nothing. */
    static Load sawtooth() {
        final List<Task> tasks = new ArrayList<>();
        for (int tooth = 0; tooth < 5; tooth++) {
            double due = 0;
            for (int second = 0; second < 60; second++) {
                for (due += second / 30.0; due >= 1; due--) {
                    tasks.add(new Task(tooth * 120_000L + second * 1000L, Duration.ofSeconds(10), Fate.SUCCEEDS));
                }
            }
        }
        return new Load("sawtooth", tasks);
    }

    /** One task each second for three minutes: nine of ten run for a second, one for ten minutes. */
    static Load bimodal() {
        return new Load(
                "bimodal 1 s/10 min",
                IntStream.range(0, 180)
                        .mapToObj(i -> new Task(
                                1000L + i * 1000L,
                                i % 10 == 9 ? Duration.ofMinutes(10) : Duration.ofSeconds(1),
                                Fate.SUCCEEDS))
                        .toList());
    }

    static Load nakStorm() {
        return new Load(
                "NAK storm",
                IntStream.range(0, 100)
                        .mapToObj(i -> new Task(1000 + i * 50L, Duration.ofSeconds(2), Fate.NAKS))
                        .toList());
    }

    /** Five tasks that kill their workers among twenty good ones. */
    static Load poison() {
        return new Load(
                "poison",
                IntStream.range(0, 25)
                        .mapToObj(i -> new Task(
                                1000 + i * 200L, Duration.ofSeconds(5), i % 5 == 0 ? Fate.KILLS : Fate.SUCCEEDS))
                        .toList());
    }
}
