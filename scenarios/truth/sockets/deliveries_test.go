package sockets_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/truth"
)

// A fate is what a system does with the webhook of an order.
type fate struct {
	lost   bool
	double bool
	after  time.Duration // it is posted this long after the order was acknowledged
	passed bool          // it is posted behind the webhook of the next order of its customer
}

// An orderSystem acknowledges orders, and posts a webhook for each, one after the other, with the defects that a case
// plants. It keeps a log of its own.
type orderSystem struct {
	hook string
	fate func(n int) fate

	mu     sync.Mutex
	orders []*order
	queue  chan *order
	under  sync.WaitGroup
}

// An order is an entry of the log.
type order struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`

	fate        fate
	came, acked time.Time
	posted      []time.Time // when brunt took each of its webhooks
}

func (s *orderSystem) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o := &order{came: time.Now()}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
	if json.Unmarshal(body, o) != nil || o.ID == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock() // an order that comes because of this answer is queued behind this one
	defer s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush()
	o.acked, o.fate = time.Now(), s.fate(len(s.orders))
	s.orders = append(s.orders, o)
	switch {
	case o.fate.lost:
	case o.fate.after > 0:
		s.under.Go(func() {
			<-time.After(o.fate.after)
			s.post(o)
		})
	default:
		s.queue <- o
	}
}

// post posts the webhook of an order until brunt takes it.
func (s *orderSystem) post(o *order) {
	body, _ := json.Marshal(o)
	for range 1 + map[bool]int{true: 1}[o.fate.double] {
		for range 100 {
			answer, err := http.Post(s.hook, "application/json", bytes.NewReader(body))
			if err != nil {
				return // brunt has ended
			}
			answer.Body.Close()
			if answer.StatusCode == http.StatusNoContent {
				s.mu.Lock()
				o.posted = append(o.posted, time.Now())
				s.mu.Unlock()
				break
			}
		}
	}
}

// work posts the webhooks of the queue until it is closed.
func (s *orderSystem) work() {
	held := map[string]*order{} // by customer
	for o := range s.queue {
		before := held[o.Customer]
		if delete(held, o.Customer); o.fate.passed && before == nil {
			held[o.Customer] = o
			continue
		}
		if s.post(o); before != nil {
			s.post(before)
		}
	}
	for _, o := range held {
		s.post(o)
	}
}

// A deliveryCase is a system of known behaviour, whose defects leave no doubt.
type deliveryCase struct {
	name  string
	fate  func(n int) fate
	fails []string // the objectives that are missed; empty: all hold
	short bool
}

// Orders are sent at 25/s for 8 s, from one customer after the other. A webhook is in time within 4 s.
const (
	deliveryRate, deliverySeconds, deliveryWithin = 25, 8, 4 * time.Second
	lostNone, onceEach, inOrder                   = "lost = 0 of order", "duplicated = 0 of order", "reordered = 0 of order"
	inTime, quickly                               = "errors < 5% of order", "p90 < 2s of order"
)

// tenth plants a defect in each tenth order.
func tenth(f fate) func(n int) fate {
	return func(n int) fate {
		if n%10 == 5 {
			return f
		}
		return fate{}
	}
}

var deliveryCases = []deliveryCase{
	{name: "right", fate: func(int) fate { return fate{} }, short: true},
	{name: "a tenth is lost", fate: tenth(fate{lost: true}), fails: []string{lostNone, inTime}, short: true},
	{name: "one is lost", fate: func(n int) fate { return fate{lost: n == 77} }, fails: []string{lostNone}},
	{name: "a tenth comes twice", fate: tenth(fate{double: true}), fails: []string{onceEach}},
	{name: "one comes twice", fate: func(n int) fate { return fate{double: n == 77} }, fails: []string{onceEach}},
	{name: "a tenth is passed by the next", fate: tenth(fate{passed: true}), fails: []string{inOrder}},
	{name: "a tenth comes after its time", fate: tenth(fate{after: 6 * time.Second}), fails: []string{inTime}},
	{
		name: "all come late, and within their time", fate: func(int) fate { return fate{after: 2500 * ms} },
		fails: []string{quickly},
	},
	{name: "all come 300 ms late", fate: func(int) fate { return fate{after: 300 * ms} }},
}

// TestDeliveries plays systems that lose, double, reorder and delay webhooks, and right ones, on each machine. What
// brunt counts is what the system's own log says, id by id; a verdict is the one of the case, or a doubt because brunt
// was late.
func TestDeliveries(t *testing.T) {
	onMachines(t, func(t *testing.T, m machine) {
		for _, c := range deliveryCases {
			t.Run(c.name, func(t *testing.T) {
				if testing.Short() && !c.short {
					t.Skip("one of the long cases")
				}
				t.Parallel()
				c.try(t, m)
			})
		}
	})
}

func (c deliveryCase) try(t *testing.T, m machine) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	s := &orderSystem{hook: "http://" + at + "/hook", fate: c.fate, queue: make(chan *order, 1000)}
	server := httptest.NewServer(s)
	defer server.Close()
	s.under.Go(s.work)
	// Orders of delayed webhooks have no key: their delay changes their order, too.
	key := `key: "$.customer", `
	if c.fate(5).after > 0 {
		key = ""
	}
	objectives := []string{lostNone, onceEach, inTime, quickly}
	if key != "" {
		objectives = append(objectives, inOrder)
	}
	scenario := fmt.Sprintf(`version: 1
target: {url: %q}
load:
  shop:
    executor: constant-arrival-rate
    rate: %d/s
    duration: %ds
    flow: [{post: /orders, name: create, json: {id: "${delivery.id}", customer: "c${data.customers.value}"}}]
data: {customers: {range: 1..3, pick: next}}
deliveries: {order: {sent: create, seen: {http: "%s/hook", id: "$.id"}, %swithin: %s, settle: 8s}}
slo: [%s]
`, server.URL, deliveryRate, deliverySeconds, at, key, deliveryWithin, strings.Join(objectives, ", "))
	r := play(t, scenario, func(p *os.Process) {
		if m.quota > 0 {
			limit(t, p, m.quota)
		}
	})
	close(s.queue)
	s.under.Wait()
	wrong := &truth.Complaints{}
	if len(r.Deliveries) != 1 {
		t.Fatalf("%d deliveries: %s\n%s", len(r.Deliveries), r.Reason, r.stdout)
	}
	c.counted(wrong, s, r)
	late := s.late(r.T0)
	want := "pass"
	if c.fails != nil {
		want = "fail"
	}
	if r.Verdict != want && (r.Verdict == "pass" || r.Verdict == "fail" || late < 10*ms) {
		wrong.Errorf("the verdict is %s, want %s; orders came up to %s late", r.Verdict, want, late)
	}
	for _, text := range objectives {
		want := "pass"
		if slices.Contains(c.fails, text) {
			want = "fail"
		}
		have := r.objective(text)
		slow := text == inTime || text == quickly // of which a busy machine may leave a doubt
		if have != want && (have == "pass" || have == "fail" || !slow && r.Verdict != "invalid" || late < 10*ms) {
			wrong.Errorf("%s: %s, want %s; orders came up to %s late", text, have, want, late)
		}
	}
	t.Logf("%s; orders came up to %s late; %+v", r.Verdict, late, r.Deliveries[0])
	wrong.Report(t, "", func() string { return fmt.Sprintf("\nreason: %s\n%s\n%s", r.Reason, scenario, r.stdout) })
}

// counted holds what brunt counted against the log.
func (c deliveryCase) counted(wrong *truth.Complaints, s *orderSystem, r *report) {
	d := r.Deliveries[0]
	var lost, doubled, late []string
	sightings, passed, most := 0, 0, 0
	for i, o := range s.orders {
		sightings += len(o.posted)
		switch {
		case len(o.posted) == 0:
			lost = append(lost, o.ID)
		case len(o.posted) > 1:
			doubled = append(doubled, o.ID)
		case o.fate.after > deliveryWithin:
			late = append(late, o.ID)
		}
		next := slices.IndexFunc(s.orders[i+1:], func(b *order) bool { return b.Customer == o.Customer })
		if o.fate.passed && next >= 0 {
			most++
			// brunt takes the answer of the first a little after it was written, so a short time between them proves nothing
			if s.orders[i+1+next].came.Sub(o.acked) > 100*ms {
				passed++
			}
		}
	}
	if d.Acknowledged != len(s.orders) || d.Sightings != sightings || d.Foreign+d.Unreadable+d.Unnamed+d.Present != 0 {
		wrong.Errorf("the log has %d orders and %d webhooks: %+v", len(s.orders), sightings, d)
	}
	if d.Lost+d.Unknown != len(lost) || d.Duplicated != len(doubled) || d.Late != len(late) {
		wrong.Errorf("the log has %d lost, %d doubled and %d late: %+v", len(lost), len(doubled), len(late), d)
	}
	if d.Reordered > most || d.Reordered < passed && d.Ordered {
		wrong.Errorf("%d reordered, and the log has %d to %d", d.Reordered, passed, most)
	}
	for state, ids := range map[string][]string{"lost": lost, "duplicated": doubled, "late": late} {
		var listed []string
		for _, k := range d.Keys {
			if k.State == state {
				listed = append(listed, k.ID)
			}
		}
		slices.Sort(listed)
		if slices.Sort(ids); !slices.Equal(listed, ids) {
			wrong.Errorf("%s: %v are listed, and the log has %v", state, listed, ids)
		}
	}
}

// late returns how long after its intended time the latest order came.
func (s *orderSystem) late(t0 time.Time) (d time.Duration) {
	for n, o := range s.orders {
		d = max(d, o.came.Sub(t0.Add(time.Duration(n)*time.Second/deliveryRate)))
	}
	return d
}
