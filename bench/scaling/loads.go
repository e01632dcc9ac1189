package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// step is what a producer sends at a time after the load's start.
type step struct {
	at    time.Duration
	tasks []work
}

// load is a series of tasks; every system gets the same at the same time, each on a queue of its own.
type load struct {
	name, title, about string
	systems            []system
	most               int
	// repeats are played on cells of their own, each begun apart from the last; 0 for a load that is played once.
	repeats int
	apart   time.Duration
	// before is on the queue, and run, when the load starts.
	before []work
	steps  []step
	// atOnce is how many tasks stand at once, when that is what decides the size.
	atOnce int
	// after is when the load starts in its phase, length how long it is watched; less when all is done and no pod is left.
	after, length time.Duration
	// outage stops NATS so long after the start, for so long.
	outageAt, outage time.Duration
}

func same(count int, task work) []work {
	tasks := make([]work, count)
	for i := range tasks {
		tasks[i] = task
	}
	return tasks
}

func sleep(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

func oneAtZero(repeats int) load {
	return load{
		name: "one", title: "One message at zero", about: "one task of 1 s on a pool without workers",
		systems: everySystem, most: 10, repeats: repeats, apart: 30 * time.Second / time.Duration(repeats),
		steps: []step{{0, same(1, work{Seconds: 1})}}, atOnce: 1, length: 45 * time.Second,
	}
}

func oneToFifty(repeats int) load {
	return load{
		name: "fifty", title: "From 1 to 50", about: "one worker is busy, 49 tasks of 8 s come at once",
		// Nine seconds apart, five repeats meet the HPA's 15 s look at five different phases.
		systems: everySystem, most: 50, repeats: repeats, apart: 9 * time.Second,
		before: same(1, work{Seconds: 600}), steps: []step{{0, same(49, work{Seconds: 8})}}, atOnce: 50, length: 45 * time.Second,
	}
}

func burst(tasks, most int, length time.Duration) load {
	return load{
		name: "burst", title: "Burst", about: "100 tasks of 6 s at once, at most 50 workers", systems: everySystem, most: most,
		steps: []step{{0, same(tasks, work{Seconds: 6})}}, atOnce: tasks, length: length,
	}
}

// poisson: about one task a second, of 4 s on average.
func poisson(seconds float64, after, length time.Duration) load {
	random := rand.New(rand.NewPCG(1, 2))
	l := load{
		name: "poisson", title: "Poisson", about: "one task a second on average, of 4 s on average (exponential), for 100 s",
		systems: everySystem, most: 20, after: after, length: length,
	}
	for at := random.ExpFloat64(); at < seconds; at += random.ExpFloat64() {
		l.steps = append(l.steps, step{sleep(at), same(1, work{Seconds: math.Round(random.ExpFloat64()*4000) / 1000})})
	}
	return l
}

func sawtooth(after, length time.Duration) load {
	l := load{
		name: "sawtooth", title: "Sawtooth", about: "three times: 0 to 1.6 tasks of 5 s a second, rising over 40 s, then 80 s of nothing",
		systems: everySystem, most: 20, after: after, length: length,
	}
	for tooth := range 3 {
		// The n-th task comes when the area under the rising rate is n.
		for n := 1.0; n <= 32; n++ {
			l.steps = append(l.steps, step{sleep(float64(tooth)*120 + math.Sqrt(n/32)*40), same(1, work{Seconds: 5})})
		}
	}
	return l
}

// bimodal: most tasks are short, some would be cut by a shrink that looks at numbers only.
func bimodal(long float64, waves int, apart, after, length time.Duration, systems ...system) load {
	l := load{
		name: "bimodal", title: "Bimodal", about: "per wave 15 tasks of 1 s and 5 of 150 s (10 min scaled to 150 s), two waves 170 s apart",
		systems: systems, most: 20, after: after, length: length, atOnce: 20,
	}
	for wave := range waves {
		var tasks []work
		for range 5 {
			tasks = append(tasks, work{Seconds: 1}, work{Seconds: 1}, work{Seconds: long}, work{Seconds: 1})
		}
		l.steps = append(l.steps, step{time.Duration(wave) * apart, tasks})
	}
	return l
}

func nakStorm(after, length time.Duration) load {
	return load{
		name: "nak", title: "NAK storm", about: "30 tasks of 1 s that are given back five times, each time for 10 s",
		systems: everySystem, most: 20, after: after, length: length,
		steps: []step{{0, same(30, work{Seconds: 1, Fails: 5, AgainSeconds: 10})}}, atOnce: 30,
	}
}

func poison(after, length time.Duration) load {
	return load{
		name: "poison", title: "Poison", about: "3 tasks of 0.5 s that are never acknowledged, to the consumer's 100 deliveries",
		systems: everySystem, most: 5, after: after, length: length,
		steps: []step{{0, same(3, work{Seconds: 0.5, Fails: math.MaxUint64})}}, atOnce: 3,
	}
}

func natsRestart(length time.Duration) load {
	return load{
		name: "restart", title: "NATS restart", about: "40 tasks of 5 s, again 40 after 60 s; NATS is stopped from 8 s to 18 s",
		systems: everySystem, most: 20, length: length, atOnce: 40, outageAt: 8 * time.Second, outage: 10 * time.Second,
		steps: []step{{0, same(40, work{Seconds: 5})}, {time.Minute, same(40, work{Seconds: 5})}},
	}
}

// fullRun takes about 18 minutes.
func fullRun() [][]load {
	minute := time.Minute
	hundred := burst(100, 50, 510*time.Second)
	hundred.systems = []system{ours, oursPatient, kedaDefault, kedaTuned}
	return [][]load{
		{oneAtZero(10)},
		{oneToFifty(5)},
		{
			hundred,
			bimodal(150, 2, 170*time.Second, 20*time.Second, 490*time.Second, ours, oursShipped, kedaDefault, kedaTuned),
			poisson(100, 75*time.Second, 435*time.Second),
			sawtooth(75*time.Second, 435*time.Second),
			nakStorm(90*time.Second, 5*minute),
			poison(95*time.Second, 5*minute),
		},
		{natsRestart(150 * time.Second)},
	}
}

// quickRun shows that all of it works, in about 3 minutes.
func quickRun() [][]load {
	one, fifty, all := oneAtZero(3), oneToFifty(1), burst(30, 15, 78*time.Second)
	all.about = "30 tasks of 6 s at once, at most 15 workers"
	waves := bimodal(60, 1, 0, 0, 78*time.Second, everySystem...)
	waves.about = "15 tasks of 1 s and 5 of 60 s"
	some := poisson(45, 0, 78*time.Second)
	some.about = "one task a second on average, of 4 s on average (exponential), for 45 s"
	return [][]load{{one, fifty, all, waves, some}}
}
