package ledger

import (
	"context"
	"maps"
	"slices"
)

// elsewhere is what other units than the places of the ledger answered about a write that no place has.
type elsewhere struct {
	at      *reader
	answers []sight
	has     bool // some unit has it
	unknown bool // some unit gave no answer for it, but answers for others
}

// others lists where else a write may be: the other units of the services that are read, and each address of a place
// that clients reach by several.
func (b *verification) others(ctx context.Context) []Place {
	list := b.ledger.spec.Others
	for _, p := range b.ledger.spec.Places {
		if p.Base != "" {
			list = append(list[:len(list):len(list)], b.run.Addresses(ctx, p)...)
		}
	}
	return list
}

// askOthers asks the other units of the services that are read for the writes that no place has, before these count as
// lost: after a split brain the clients of the target may read from one unit, and another one has the writes. A unit
// that finds a write which was never made, or gives no answer, tells nothing.
func (b *verification) askOthers(ctx context.Context) error {
	others := b.others(ctx)
	if len(others) == 0 {
		return nil
	}
	end, _ := ctx.Deadline()
	ctx, cancel := context.WithDeadline(ctx, end.Add(-end.Sub(b.run.T0.Add(b.run.Now()))/2))
	defer cancel()
	r := &reader{run: b.run, spec: b.ledger.spec, places: others}
	if err := r.open(); err != nil {
		r.close()
		return err
	}
	defer r.close()
	first, over := context.WithTimeout(ctx, b.ledger.spec.WithinOr().D()/firstPart)
	defer over()
	notes, err := b.prove(first, r)
	if err != nil {
		return err
	}
	for i, u := range r.units {
		if notes[i] != "" {
			u.silent.Store(silentAfter)
		}
	}
	for i, u := range r.units {
		if u.silent.Load() < silentAfter {
			b.out.Others = append(b.out.Others, u.Name)
		} else {
			notes[i], b.silent = "silent", append(b.silent, u.Name)
		}
	}
	if len(b.out.Others) == 0 {
		return nil
	}
	asked := make([]checkedWrite, 0, len(b.missing))
	for i := range b.missing {
		asked = append(asked, checkedWrite{loggedWrite: b.missing[i].loggedWrite})
	}
	holders := map[string]bool{}
	for batch := range slices.Chunk(asked, asksAtOnce) {
		askAll(ctx, r, batch)
	}
	for i := range asked {
		other := elsewhere{at: r, answers: asked[i].answers}
		for k, s := range other.answers {
			holders[r.units[k].Name] = holders[r.units[k].Name] || s.n > 0
			other.has = other.has || s.n > 0
			other.unknown = other.unknown || s.n == noAnswer && notes[k] == ""
		}
		if other.has || other.unknown {
			b.missing[i].other = &other
		}
	}
	for _, name := range slices.Sorted(maps.Keys(holders)) {
		if holders[name] {
			b.out.Holders = append(b.out.Holders, name)
		}
	}
	return nil
}
