package demo

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"
)

// The values of the switch commit.
const (
	afterWork  = "after"
	beforeWork = "before"
)

const (
	mailTime    = 35 * time.Millisecond   // that a mailer works on each notice
	mailItems   = 30                      // notices that a mailer takes at a time
	mailTimeout = time.Second             // of each call
	memberTime  = 1500 * time.Millisecond // without a word of a member, until its share goes to others
)

// A group shares the notices of an outbox among its members: that of post n goes to member n modulo their number. Each
// member that joins or leaves changes the shares at once, even if another member still works on a notice that it took
// before. A group keeps nothing over a restart.
type group struct {
	mu   sync.Mutex
	seen map[string]time.Time // by member
}

// share notes that a member is there, and returns what tells whether the notice of a post is its own.
func (g *group) share(member string) func(post int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen == nil {
		g.seen = map[string]time.Time{}
	}
	g.seen[member] = time.Now()
	maps.DeleteFunc(g.seen, func(_ string, at time.Time) bool { return time.Since(at) > memberTime })
	members := slices.Sorted(maps.Keys(g.seen))
	index := int64(slices.Index(members, member))
	return func(post int64) bool { return post%int64(len(members)) == index }
}

// newMailer makes a mailer: a member of the group that sends the notices of the outbox. A mailer that is started again
// is a new member, and its former self stays one for memberTime.
func newMailer(p parts) (service, error) {
	c := p.client(mailTimeout)
	n := newNotifier(p, c, p.env.link(notificationsName)[0], mailTimeout)
	n.relay = &relay{
		store: p.env.link(storeName)[0], giveUp: p.env.on("DEMO_MAX_TRIES"), refusals: map[string]int{},
		member: rand.Text(), work: mailTime,
		early: p.env.oneOf("DEMO_COMMIT", afterWork, beforeWork) == beforeWork,
	}
	return service{
		start: n.start,
		stop: func(ctx context.Context) {
			n.stop(ctx)
			c.close()
		},
	}, nil
}
