package demo

import (
	"context"
	"time"
)

// shardTime is the time that a shard takes to read a post: a wait, so that it is the same on each machine.
const shardTime = 8 * time.Millisecond

// shards spread the posts of a store. Each reads one post at a time.
//
// No shards take no time.
type shards struct {
	all       []*pool
	replicate bool // every shard has every post
}

func newShards(e *environment) shards {
	s := shards{replicate: e.asked("DEMO_REPLICATE_HOT")}
	for range e.number("DEMO_SHARDS") {
		s.all = append(s.all, newPool(1))
	}
	return s
}

// read reads a post from its shard.
func (s shards) read(ctx context.Context, id string) error {
	if len(s.all) == 0 {
		return nil
	}
	shard := s.all[hashOf(id)%uint64(len(s.all))]
	if s.replicate {
		for _, other := range s.all {
			if other.load() < shard.load() {
				shard = other
			}
		}
	}
	return shard.hold(ctx, shardTime)
}
