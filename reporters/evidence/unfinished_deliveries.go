package evidence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"brunt/reporters/words"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// An UnfinishedDelivery says what is known of the messages of an entry of `deliveries` of an unfinished run.
type UnfinishedDelivery struct {
	Name         string
	Acknowledged int64
	// acknowledged and not seen: brunt was killed before it knew what became of them, so they are not lost messages
	Unknown int64
	// sent, and neither answered nor seen
	Unanswered int64
	Last       result.Num // the time of the last line, an offset from t0
	Full       bool       // the file has no room for later messages

	open map[uint64]messageState // of messages that are neither refused nor acknowledged and seen
}

// messageState has a bit for all that a message met after it was sent.
type messageState uint8

const (
	messageAcknowledged messageState = 1 << iota
	messageSeen
)

// ReadUnfinishedDeliveries reads the messages of an unfinished run from its folder, by delivery in the order of their
// first messages. The error is [fs.ErrNotExist] if the run has no deliveries, or has ended.
func ReadUnfinishedDeliveries(dir string) ([]*UnfinishedDelivery, error) {
	f, err := disk.Open(filepath.Join(dir, result.SentFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []*UnfinishedDelivery
	lines := bufio.NewReaderSize(f, 1<<16)
	for n := 1; ; n++ {
		line, whole, err := nextLine(lines)
		if err != nil {
			return nil, err
		}
		if !whole {
			break
		}
		var e result.DeliveryEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		i := slices.IndexFunc(all, func(d *UnfinishedDelivery) bool { return d.Name == e.Delivery })
		if i < 0 {
			i = len(all)
			all = append(all, &UnfinishedDelivery{Name: e.Delivery, open: map[uint64]messageState{}})
		}
		all[i].add(&e)
	}
	for _, d := range all {
		for _, state := range d.open {
			switch {
			case state&messageSeen != 0:
			case state&messageAcknowledged != 0:
				d.Unknown++
			default:
				d.Unanswered++
			}
		}
	}
	return all, nil
}

func (d *UnfinishedDelivery) add(e *result.DeliveryEvent) {
	d.Last = max(d.Last, e.T)
	state := d.open[e.N]
	switch e.Is {
	case result.DeliveryAcknowledged:
		d.Acknowledged++
		state |= messageAcknowledged
	case result.DeliverySeen:
		state |= messageSeen
	case result.DeliveryLogFull:
		d.Full = true
		return
	case result.DeliveryRefused:
		delete(d.open, e.N)
		return
	}
	if state&messageAcknowledged != 0 && state&messageSeen != 0 {
		delete(d.open, e.N)
		return
	}
	d.open[e.N] = state
}

// sentMessages describes the messages of an unfinished run in lines of text.
func sentMessages(dir string) (out []string) {
	all, err := ReadUnfinishedDeliveries(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			out = append(out, fmt.Sprintf("%s can't be read: %v.", filepath.Join(dir, result.SentFile), err))
		}
		return out
	}
	for _, d := range all {
		said := fmt.Sprintf("Deliveries of %s until %s: %s acknowledged", words.Clean(d.Name), words.Offset(d.Last),
			syntax.Amount(int(d.Acknowledged), "message"))
		if d.Unknown > 0 {
			said += fmt.Sprintf(", of which %s not seen yet: what became of them is unknown, and they do not count as lost",
				words.Count(d.Unknown))
		} else {
			said += ", all of them seen"
		}
		if d.Unanswered > 0 {
			said += fmt.Sprintf("; %s more sent without an answer so far", words.Count(d.Unanswered))
		}
		if said += "."; d.Full {
			said += " The file has no room for later messages."
		}
		out = append(out, said)
	}
	if len(all) > 0 {
		out = append(out, filepath.Join(dir, result.SentFile)+" has a line for all that each message met.")
	}
	return out
}
