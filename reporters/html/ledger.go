package html

import (
	"fmt"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// ledgerView is a ledger on the page.
type ledgerView struct {
	Mark, Word, Tone string
	Text             string
	Facts            []words.Pair
	Head             []string
	Rows             [][]string
	More             *ledgerView // the rest of the rows, folded
	Foot             string
	Seconds          *ledgerView // lost writes by second and fault
}

// mostWrites bounds the writes that the page shows unfolded.
const mostWrites = 10

func (p *pageView) ledgers(all []*result.LedgerRecord) {
	for i, l := range all {
		p.Ledgers = append(p.Ledgers, ledgerOf(l, i == len(all)-1))
	}
}

func ledgerOf(l *result.LedgerRecord, last bool) *ledgerView {
	v, headline := words.LedgerVerdict(l), words.LedgerHeadline(l)
	if l.Name == "" {
		headline = words.Capitalize(headline)
	}
	view := &ledgerView{Mark: words.Mark(v), Word: headline, Tone: words.Tone(v), Text: words.LedgerText(l)}
	for _, f := range words.LedgerFigures(l) {
		view.Facts = append(view.Facts, pair(f.Name, words.Count(f.Count)))
	}
	if l.RPO.Known() {
		view.Facts = append(view.Facts, pair("RPO", words.RPO(l)))
	}
	if len(l.Keys) > 0 {
		view.Head = words.LedgerHead
		for i := range l.Keys {
			view.Rows = append(view.Rows, words.LedgerRow(&l.Keys[i]))
		}
	}
	if rows := words.LostRows(l); len(rows) > 0 && l.Lost > mostWrites {
		view.Seconds = &ledgerView{Head: words.LostHead, Rows: rows}
	}
	view.fold()
	if last {
		view.Foot = ledgerFoot
	}
	if l.Left > 0 {
		view.Foot = strings.TrimSpace(fmt.Sprintf("%s %s more are in %s.", view.Foot, words.Count(l.Left), ledgerFile(l)))
	}
	return view
}

// fold folds the rows beyond the first.
func (l *ledgerView) fold() {
	if len(l.Rows) > mostWrites+2 {
		l.Rows, l.More = l.Rows[:mostWrites], &ledgerView{Head: l.Head, Rows: l.Rows[mostWrites:]}
	}
}

// ledgerFoot stands once, below the last ledger.
const ledgerFoot = "Every acknowledged write was asked for at every unit named above, after the load. Age is the " +
	"time from a lost write's acknowledgement " +
	"to the instant at which it was lost at the latest; RPO is the longest time over which the writes lost to one " +
	"fault had been acknowledged: from the " +
	"first of them to the last at least; at most from the write before them that is there to the first attempt after " +
	"them that was not acknowledged, or to the next write that is there. Writes that are lost to " +
	"one fault or another were not read back between the two, and count for neither. A stale read asked for " +
	"a write after its " +
	"acknowledgement, while the load ran, and did not find it. A write that was not there at first was asked for " +
	"again; found later, it is late."

// ledgerFile is the file that lists all findings of a ledger.
func ledgerFile(l *result.LedgerRecord) string {
	if l.Name == "" {
		return "ledger.jsonl"
	}
	return "ledger." + words.Clean(l.Name) + ".jsonl"
}
