package draft

import (
	"fmt"
)

// MixOf gives a load one flow for each distinct request, weighted by its frequency.
func MixOf(d *Builder, load *Node, all []*Request) {
	mix := &Node{Block: true, Items: []*Node{}}
	weights := map[string]*Node{}
	times := map[string]int{}
	for _, r := range all {
		flow := List()
		step := d.Step(r, mix)
		if step == nil {
			continue
		}
		key := fmt.Sprint(step.inline(1 << 30))
		if times[key]++; times[key] > 1 {
			if first := weights[key]; first != nil {
				first.Set("weight", Number(times[key]))
			}
			continue
		}
		before := d.Dropped
		if d.Add(flow, step); d.Dropped > before {
			continue
		}
		d.used, d.bytes = d.used+12, d.bytes+60 // size of the weight and the flow around it
		one := (&Node{}).Set("weight", Number(1)).Set("flow", flow)
		one.Above, step.Above = append(mix.Pending, step.Above...), nil
		mix.Pending = nil
		weights[key] = one
		mix.Items = append(mix.Items, one)
	}
	load.Set("mix", mix)
}
