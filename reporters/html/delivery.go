package html

import (
	"fmt"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// deliveries adds what became of the messages of deliveries, in the form of ledgers.
func (p *pageView) deliveries(all []*result.DeliveryRecord) {
	for i, d := range all {
		v := words.DeliveryVerdict(d)
		view := &ledgerView{
			Mark: words.Mark(v), Word: words.DeliveryHeadline(d), Tone: words.Tone(v), Text: words.DeliveryText(d),
		}
		for _, f := range words.DeliveryFigures(d) {
			view.Facts = append(view.Facts, pair(f.Name, words.Count(f.Count)))
		}
		if len(d.Keys) > 0 {
			view.Head = words.DeliveryHead
			for i := range d.Keys {
				view.Rows = append(view.Rows, words.DeliveryRow(&d.Keys[i]))
			}
		}
		view.fold()
		if i == len(all)-1 {
			view.Foot = deliveryFoot
		}
		if d.Left > 0 {
			view.Foot += fmt.Sprintf(" %s more are in deliveries.jsonl.", words.Count(d.Left))
		}
		p.Deliveries = append(p.Deliveries, view)
	}
}

// deliveryFoot stands once, below the last delivery.
const deliveryFoot = "Every acknowledged message was looked for until the settle time after the load. Late: seen only " +
	"after the time within which it had to be seen. Reordered: acknowledged before another message with the same key " +
	"was sent, and seen after that one. A loss is attributed to a fault if more messages were lost around it than while " +
	"no fault was in. The times of messages are those of the delivery's row."
