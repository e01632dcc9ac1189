package main

import (
	"math"
	"testing"
	"time"
)

var zero = time.Unix(1000, 0)

func at(seconds float64) time.Time { return zero.Add(sleep(seconds)) }

func sized(pairs ...float64) []change {
	var changes []change
	for i := 0; i < len(pairs); i += 2 {
		changes = append(changes, change{at(pairs[i]), int(pairs[i+1])})
	}
	return changes
}

func equal(t *testing.T, what string, is, want float64) {
	t.Helper()
	if is != want && !(math.IsNaN(is) && math.IsNaN(want)) {
		t.Errorf("%s is %v, not %v", what, is, want)
	}
}

func TestGrowthCountsFromTheSizeBeforeTheLoad(t *testing.T) {
	f := figures{firstChange: math.NaN(), reached: math.NaN()}
	f.sizes(sized(-20, 0, -10, 1, 2, 5, 4, 50), at(0), 50)
	equal(t, "first growth", f.firstChange, 2)
	equal(t, "size wanted", f.reached, 4)
	equal(t, "most", float64(f.most), 50)
}

func TestAReversalIsATurnNotAStep(t *testing.T) {
	f := figures{firstChange: math.NaN(), reached: math.NaN()}
	f.sizes(sized(-1, 0, 1, 5, 2, 9, 3, 4, 4, 2, 5, 6, 6, 0), at(0), 0)
	equal(t, "reversals", float64(f.reversals), 3)
	equal(t, "size wanted", f.reached, math.NaN())
}

func TestPodsAndRunsCountWithinTheWindowOnly(t *testing.T) {
	r := newRecord()
	r.pods["stays"] = &podLife{bound: at(-5)}
	r.pods["goes"] = &podLife{bound: at(2), gone: at(6)}
	r.tasks[1] = &taskLife{runs: []run{{start: at(3), end: at(5)}}, done: at(5)}
	r.tasks[2] = &taskLife{runs: []run{{start: at(7)}}}
	f := measure(&cell{record: r, loadStart: at(0), ended: at(10)}, 0, 0)
	equal(t, "pod-seconds", f.podSeconds, 14)
	equal(t, "idle", f.idle, 9)
	equal(t, "undone", float64(f.undone), 1)
	equal(t, "makespan", f.makespan, math.NaN())
	equal(t, "last start", f.allStart, 7)
}

func TestTasksFromBeforeTheLoadAreNotItsOwn(t *testing.T) {
	r := newRecord()
	r.tasks[1] = &taskLife{runs: []run{{start: at(-8)}}}
	r.tasks[2] = &taskLife{runs: []run{{start: at(1), end: at(4)}}, done: at(4)}
	f := measure(&cell{record: r, loadStart: at(0), ended: at(10)}, 1, 0)
	equal(t, "first start", f.firstStart, 1)
	equal(t, "makespan", f.makespan, 4)
}

func TestATaskThatIsCutOffLosesItsWork(t *testing.T) {
	r := newRecord()
	r.taskStarted(1, 1)
	r.tasks[1].runs[0].start = time.Now().Add(-20 * time.Second)
	r.stoppedBusy()
	r.taskEnded(1, cutOff)
	r.taskStarted(1, 2)
	r.taskEnded(1, acknowledged)
	r.close()
	r.taskStarted(2, 2)
	if r.busyStops != 1 || r.cutOff != 1 || math.Round(r.lost.Seconds()) != 20 || r.redeliveries != 1 || !r.settled() {
		t.Errorf("counted %+v", r)
	}
}

func TestPercentilesAreOfTheNearestRankAndWhatNeverCameIsLast(t *testing.T) {
	values := []float64{3, 1, math.NaN(), 2}
	equal(t, "p50", percentile(values, 50), 2)
	equal(t, "p75", percentile(values, 75), 3)
	equal(t, "p95", percentile(values, 95), math.NaN())
}

func TestEachSystemsSettingWantsItsOwnSize(t *testing.T) {
	equal(t, "default", float64(kedaDefault.wanted(100, 50)), 10)
	equal(t, "tuned", float64(kedaTuned.wanted(100, 50)), 50)
	equal(t, "ours", float64(ours.wanted(1, 50)), 1)
}
