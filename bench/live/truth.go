package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const logs = "LOGS"

// entry is a line as LOGS holds it.
type entry struct {
	sequence uint64
	number   int64 // the worker's own, which rises by one
	written  int64
	stored   int64
}

// truth is what LOGS holds, by task, as far as it has been read.
type truth struct {
	js     jetstream.JetStream
	places map[string]int
	lines  [][]entry
	last   uint64
}

func newTruth(js jetstream.JetStream, uids []string) *truth {
	t := &truth{js: js, places: map[string]int{}, lines: make([][]entry, len(uids))}
	for place, uid := range uids {
		t.places[uid] = place
	}
	return t
}

// read reads on to the end.
func (t *truth) read(ctx context.Context) error {
	stream, err := t.js.Stream(ctx, logs)
	if err != nil {
		return err
	}
	end := stream.CachedInfo().State.LastSeq
	if t.last >= end {
		return nil
	}
	consumer, err := t.js.OrderedConsumer(ctx, logs, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: t.last + 1,
	})
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(5000))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for t.last < end {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		if err := t.take(message); err != nil {
			return err
		}
	}
	return nil
}

func (t *truth) take(message jetstream.Msg) error {
	metadata, err := message.Metadata()
	if err != nil {
		return err
	}
	t.last = metadata.Sequence.Stream
	words := strings.Split(message.Subject(), ".")
	place, known := t.places[words[len(words)-1]]
	if !known {
		return fmt.Errorf("a line on %s, which is no task's", message.Subject())
	}
	var line struct {
		Line string
		Seq  int64
	}
	if err := json.Unmarshal(message.Data(), &line); err != nil {
		return fmt.Errorf("line %d: %w", t.last, err)
	}
	e := entry{sequence: t.last, number: line.Seq, stored: metadata.Timestamp.UnixNano()}
	// What is no number is the worker's own words.
	written, _, _ := strings.Cut(line.Line, " ")
	e.written, _ = strconv.ParseInt(written, 10, 64)
	t.lines[place] = append(t.lines[place], e)
	return nil
}

// between are the lines after a sequence, to another one.
func between(lines []entry, after, to uint64) []entry {
	from := sort.Search(len(lines), func(i int) bool { return lines[i].sequence > after })
	end := sort.Search(len(lines), func(i int) bool { return lines[i].sequence > to })
	return lines[from:max(from, end)]
}

// storedBetween are the lines that came into the stream in a time.
func storedBetween(lines []entry, from, to time.Time) []entry {
	first := sort.Search(len(lines), func(i int) bool { return lines[i].stored >= from.UnixNano() })
	end := sort.Search(len(lines), func(i int) bool { return lines[i].stored > to.UnixNano() })
	return lines[first:max(first, end)]
}

// lost counts the numbers that the worker has given and the stream does not have, before the lines of that time.
func lost(lines []entry, from, to time.Time) int {
	count := 0
	for i := 1; i < len(lines); i++ {
		if at := lines[i].stored; at >= from.UnixNano() && at <= to.UnixNano() {
			count += int(lines[i].number - lines[i-1].number - 1)
		}
	}
	return count
}
