package dev.codeforge.operator.scaling;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The demand of the last minutes; immutable. A restarted operator starts with an empty window and therefore removes no worker. */
public record DemandWindow(List<Point> points) {
    public static final DemandWindow EMPTY = new DemandWindow(List.of());

    public record Point(Instant time, int wanted) {}

    public DemandWindow {
        points = List.copyOf(points);
    }

    /** Adds a sample, keeping one that is older than the window so that it is known to be covered. */
    public DemandWindow add(Instant now, int wanted, Duration length) {
        final Instant start = now.minus(length);
        final List<Point> kept = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            final boolean lastBeforeStart =
                    i + 1 < points.size() && !points.get(i + 1).time().isAfter(start);
            // Compared with the samples that are kept: a dropped one does not count.
            final boolean sameAsNeighbours = !kept.isEmpty()
                    && i + 1 < points.size()
                    && kept.getLast().wanted() == points.get(i).wanted()
                    && points.get(i).wanted() == points.get(i + 1).wanted();
            if (!lastBeforeStart && !sameAsNeighbours) {
                kept.add(points.get(i));
            }
        }
        kept.add(new Point(now, wanted));
        return new DemandWindow(kept);
    }

    /** True when samples reach back over the whole window. */
    public boolean covers(Instant now, Duration length) {
        return !points.isEmpty() && !points.getFirst().time().isAfter(now.minus(length));
    }

    public int most() {
        return points.stream().mapToInt(Point::wanted).max().orElse(0);
    }
}
