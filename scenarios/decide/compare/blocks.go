package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// Blocks returns the blocks of a run with a switched load. Each block becomes a run with the values of that block.
// CPU time covers the seconds of the block. Percentiles that include brunt's own lag are left out. So are metrics
// without a value by block, such as the memory of a unit, which a block inherits from the one before.
func Blocks(r Run) []Run {
	var out []Run
	for i := range r.Blocks {
		b := &r.Blocks[i]
		block := *r.Result
		block.Run = fmt.Sprintf("%s#%d", r.Run, i+1)
		block.Started = r.T0.Add(time.Duration(float64(b.Start) * float64(time.Second)))
		block.Cells, block.Blocks, block.Faults, block.Usage = b.Cells, nil, nil, nil
		block.Verdict, block.Generator = scenarios.Pass, result.Generator{Healthy: true} // nothing else is known of a block
		for j := range r.Usage {
			if u, has := usageIn(&r.Usage[j], b); has {
				block.Usage = append(block.Usage, u)
			}
		}
		out = append(out, Run{Name: fmt.Sprintf("%s from %gs", r.Name, float64(b.Start)), Result: &block})
	}
	return out
}

// usageIn returns the CPU usage of a unit in a block. It reports false if a second is missing.
func usageIn(u *result.UnitUsage, b *result.Block) (result.UnitUsage, bool) {
	const slack = .25 // by how many seconds a sample may miss its second
	in := result.UnitUsage{Unit: u.Unit, Service: u.Service, Via: u.Via}
	sum := 0.0
	for _, s := range u.Seconds {
		if float64(s.T) < float64(b.Start)+1-slack || float64(s.T) > float64(b.End)+slack || !s.CPU.Known() {
			continue
		}
		in.Seconds = append(in.Seconds, s)
		sum += float64(s.CPU)
	}
	n := float64(len(in.Seconds))
	in.CPU = result.Num(sum / math.Max(1, n))
	return in, n >= math.Floor(float64(b.End-b.Start))
}

// interimPart is the share of alpha that all analyses before the last one use together. In simulated comparisons of
// 24 pairs of blocks, a share of a fifth still ends early if the change is plain, and keeps as much power in total as
// a single test (86 to 90 %).
const interimPart = .2

// Switchback compares the blocks of both sides, after any number of pairs. Until the last analysis its bounds hold at
// all times together: it may be called after each pair, and the first answer is final. These analyses use a fifth of
// alpha, see [evidence]. The last analysis, whose time is planned before, is Student's t of all pairs with the rest
// of alpha. The probability that any analysis raises a false alarm is at most alpha.
func Switchback(a, b []Run, last bool, o Options) (*Comparison, error) {
	alpha := o.Alpha
	if alpha == 0 {
		alpha = DefaultAlpha
	}
	o.switched, o.always, o.Alpha = true, !last, alpha*interimPart
	if last {
		o.Alpha = alpha * (1 - interimPart)
	}
	every := len(o.Metrics) == 0
	if every {
		o.Metrics = slices.DeleteFunc(o.table().names(), func(name string) bool { return o.table().named(name).wholeRun })
	}
	c, err := Compare(a, b, o)
	if errors.Is(err, errEmpty) {
		return nil, fmt.Errorf("%w by block; --in-turns compares whole runs", err)
	}
	if err == nil && c.Design != Pairs {
		err = fmt.Errorf("%w: their blocks do not alternate", errUnfit)
	}
	if err != nil {
		return nil, err
	}
	c.Design, c.Alpha = Switched, alpha
	for _, name := range o.Metrics {
		named := func(left string) bool { return strings.HasPrefix(left, name) }
		rowOf := func(r Row) bool { return r.Metric == name }
		if o.table().named(name).quantile > 0 && !slices.ContainsFunc(c.Rows, rowOf) && !slices.ContainsFunc(c.Left, named) {
			c.Left = append(c.Left,
				name+": no block has it, for want of requests or as brunt's own lag is a part of it; a higher rate, "+
					"longer blocks or an idle machine show it")
		}
	}
	if used := func(r Run) bool { return len(r.Usage) > 0 }; every &&
		(slices.ContainsFunc(a, used) || slices.ContainsFunc(b, used)) {
		for _, m := range o.table() {
			if m.ofUnit && m.wholeRun {
				c.Left = append(c.Left,
					m.Name+": has no value by block, which inherits it from the one before; --in-turns compares it")
			}
		}
	}
	return c, nil
}

// sayBlocks describes the blocks of both sides.
func (c *Comparison) sayBlocks() string {
	return fmt.Sprintf("%s of blocks, the order of each drawn, without the first second after a switch",
		syntax.Amount(len(c.Base), "pair"))
}
