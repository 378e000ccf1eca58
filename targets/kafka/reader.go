package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"brunt/scenarios"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// reader reads the partitions of a topic: all of them, or those that a group gives it.
//
//	next: positions --feed: a goroutine for each leader--> fetched --> one record after the other
type reader struct {
	client  *client
	topic   string
	where   int64   // begins there if the group committed no offset: fromStart or fromEnd
	member  *member // nil: all partitions, without a group
	commits bool    // the group learns the positions
	settled bool    // reads only what transactions have committed
	over    context.Context
	end     context.CancelFunc

	mu        sync.Mutex
	positions map[int32]int64 // the next offset to hand out, by partition; nil: not known yet

	feed    *feed // nil: none runs
	changed <-chan struct{}
	waiting []record
	came    time.Duration // of waiting
}

// newReader creates a reader of a topic for a call; an empty group means that it joins no group.
func (c *client) newReader(topic, group string, by *call) *reader {
	r := &reader{client: c, topic: topic, where: by.where, commits: by.commits, settled: by.settled}
	r.over, r.end = context.WithCancel(c.Over())
	if group != "" {
		r.member = newMember(r, group)
	}
	return r
}

// close ends the reader, and leaves the group.
func (r *reader) close() {
	r.end()
	r.stop()
	if r.member != nil {
		r.member.close()
	}
}

// stop ends the feed. What it has fetched and was not handed out is fetched again.
func (r *reader) stop() {
	r.waiting = nil
	if r.feed != nil {
		r.feed.stop()
		r.feed = nil
	}
}

// ready waits until the partitions to read are known, and begins to read them.
func (r *reader) ready(ctx context.Context) error {
	if r.member != nil {
		changed, err := r.member.joined(ctx)
		if err != nil {
			return err
		}
		if changed != r.changed {
			r.stop()
			r.changed = changed
		}
	} else if err := r.locate(ctx); err != nil {
		return err
	}
	if r.feed == nil {
		leaders, err := r.client.cluster.leadersOf(ctx, r.topic)
		if err != nil {
			return err
		}
		if r.feed, err = r.start(leaders); err != nil {
			return err
		}
	}
	return nil
}

// locate finds the offsets from which all partitions are read, once.
func (r *reader) locate(ctx context.Context) error {
	r.mu.Lock()
	known := r.positions != nil
	r.mu.Unlock()
	if known {
		return nil
	}
	leaders, err := r.client.cluster.leadersOf(ctx, r.topic)
	if err != nil {
		return err
	}
	found, err := r.offsets(ctx, every(len(leaders)), r.where)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.positions = found
	return err
}

// offsets returns the first or the next offset of partitions. Where is fromStart or fromEnd.
func (r *reader) offsets(ctx context.Context, partitions []int32, where int64) (map[int32]int64, error) {
	return r.client.cluster.offsets(ctx, r.topic, partitions, where, r.settled)
}

// next returns the next record and when it came.
func (r *reader) next(ctx context.Context) (*record, time.Duration, error) {
	for {
		if err := r.ready(ctx); err != nil {
			return nil, 0, either(ctx, err)
		}
		if len(r.waiting) > 0 {
			one := &r.waiting[0]
			r.waiting = r.waiting[1:]
			r.mu.Lock()
			if _, ours := r.positions[one.partition]; ours { // the group may have just changed
				r.positions[one.partition] = one.offset + 1
			}
			r.mu.Unlock()
			return one, r.came, nil
		}
		select {
		case f := <-r.feed.out:
			if f.err != nil {
				r.stop()
				r.client.cluster.renew(r.topic)
				if from, is := errors.AsType[*outside](f.err); is {
					return nil, 0, r.reset(ctx, from)
				}
				return nil, 0, f.err
			}
			r.waiting, r.came = f.records, f.came
		case <-r.changed: // the group gives other partitions
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// outside is the error of a fetch from an offset that the partition does not have.
type outside struct {
	*codeError
	partition int32
	offset    int64
}

// reset moves the position in a partition to where the reader begins, as auto.offset.reset of Kafka's own consumer
// does. It returns the error with what became of the offset. If the broker does not tell the offsets of the partition,
// the position stays, so that the next fetch fails alike.
func (r *reader) reset(ctx context.Context, from *outside) error {
	one := []int32{from.partition}
	starts, err := r.offsets(ctx, one, fromStart)
	if err != nil {
		return from
	}
	ends, err := r.offsets(ctx, one, fromEnd)
	if err != nil {
		return from
	}
	start, end := starts[from.partition], ends[from.partition]
	why := ""
	switch {
	case from.offset < start:
		why = fmt.Sprintf("records were deleted, and its first one is %d", start)
	case from.offset > end:
		why = fmt.Sprintf("it was cut off or made again, and ends at %d", end)
	default:
		return from
	}
	to := end
	if r.where == fromStart {
		to = start
	}
	r.mu.Lock()
	if at, ours := r.positions[from.partition]; ours && at == from.offset { // the group may have just changed
		r.positions[from.partition] = to
	}
	r.mu.Unlock()
	return &codeError{code: from.code, text: fmt.Sprintf("%s: %s; the next step reads it from %d on", from.text, why, to)}
}

// at returns a copy of the positions.
func (r *reader) at() map[int32]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.positions)
}

// fetched is what a broker sent at once.
type fetched struct {
	records []record
	came    time.Duration
	err     error
}

// feed fetches partitions, by a goroutine for each leader.
type feed struct {
	reader *reader
	over   context.Context
	end    context.CancelFunc
	out    chan fetched
	all    sync.WaitGroup
}

// start begins to fetch from the positions.
func (r *reader) start(leaders []string) (*feed, error) {
	of := map[string]map[int32]int64{}
	for p, offset := range r.at() {
		address, err := leaderOf(leaders, r.topic, p)
		if err != nil {
			r.client.cluster.renew(r.topic)
			return nil, err
		}
		if of[address] == nil {
			of[address] = map[int32]int64{}
		}
		of[address][p] = offset
	}
	f := &feed{reader: r, out: make(chan fetched)}
	f.over, f.end = context.WithCancel(r.over)
	for address, offsets := range of {
		f.all.Add(1)
		if !r.client.Go(func() {
			defer f.all.Done()
			if err := f.run(address, offsets); err != nil {
				f.give(fetched{err: err})
			}
		}) {
			f.all.Done()
		}
	}
	return f, nil
}

func (f *feed) stop() {
	f.end()
	f.all.Wait()
}

// give hands over what came. It returns false if the feed has ended.
func (f *feed) give(one fetched) bool {
	select {
	case f.out <- one:
		return true
	case <-f.over.Done():
		return false
	}
}

// Limits of a fetch.
const (
	fetchWait      = 500 * time.Millisecond // a broker answers an empty fetch after it
	fetchMost      = 8 << 20                // bytes, of an answer; a larger first record comes whole
	fetchPartition = 1 << 20                // bytes, of a partition in an answer
)

// run fetches the partitions of a leader until the feed ends.
func (f *feed) run(address string, offsets map[int32]int64) (err error) {
	defer scenarios.Recover(&err)
	c := f.reader.client
	opening, cancel := c.patience(f.over)
	on, err := c.open(opening, address)
	if cancel(); err != nil {
		return err
	}
	defer c.Drop(on)
	defer context.AfterFunc(f.over, func() { _ = on.Raw.Close() })()
	for {
		ctx, cancel := context.WithTimeout(f.over, fetchWait+c.wait())
		resp, err := on.call(ctx, f.request(offsets))
		cancel()
		if err != nil {
			return err
		}
		one := fetched{came: c.o.Now()}
		if err := f.read(resp.(*kmsg.FetchResponse), offsets, newRoom(&on.claim), &one); err != nil {
			return err
		}
		if len(one.records) > 0 && !f.give(one) || f.over.Err() != nil {
			return nil
		}
	}
}

func (f *feed) request(offsets map[int32]int64) kmsg.Request {
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MinBytes, req.MaxBytes = -1, 1, fetchMost
	req.IsolationLevel = isolation(f.reader.settled)
	req.MaxWaitMillis = int32(fetchWait / time.Millisecond)
	t := kmsg.NewFetchRequestTopic()
	t.Topic = f.reader.topic
	for p, offset := range offsets {
		one := kmsg.NewFetchRequestTopicPartition()
		one.Partition, one.FetchOffset, one.PartitionMaxBytes = p, offset, fetchPartition
		one.CurrentLeaderEpoch, one.LogStartOffset = -1, -1
		t.Partitions = append(t.Partitions, one)
	}
	req.Topics = append(req.Topics, t)
	return req
}

// read takes the records of an answer, and sets the offsets behind them.
func (f *feed) read(resp *kmsg.FetchResponse, offsets map[int32]int64, within *room, into *fetched) error {
	topic := f.reader.topic
	if err := refused("the fetch of "+topic, resp.ErrorCode); err != nil {
		return err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			from, asked := offsets[p.Partition]
			if !asked || t.Topic != topic {
				return bad("the broker sends records of %s/%d, which is not in the fetch", t.Topic, p.Partition)
			}
			what := fmt.Sprintf("the fetch of %s/%d from offset %d", topic, p.Partition, from)
			if p.ErrorCode == offsetOutOfRange {
				text := what + ": error " + codeName(p.ErrorCode)
				return &outside{&codeError{code: p.ErrorCode, text: text}, p.Partition, from}
			}
			if err := refused(what, p.ErrorCode); err != nil {
				return err
			}
			without := aborted{}
			for _, one := range p.AbortedTransactions { // only with the isolation level 1
				without[one.ProducerID] = append(without[one.ProducerID], one.FirstOffset)
			}
			for _, list := range without {
				slices.Sort(list)
			}
			next, err := readRecords(p.RecordBatches, p.Partition, from, without, within, func(r *record) {
				into.records = append(into.records, *r)
			})
			if err != nil {
				return err
			}
			offsets[p.Partition] = next
		}
	}
	return nil
}
