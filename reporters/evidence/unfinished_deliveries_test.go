package evidence_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/reporters/evidence"
	"brunt/scenarios/result"
)

// TestReadUnfinishedDeliveries: a message without a sighting is unknown and not lost, a refused one is over, and lines
// may come in any order and end in the middle.
func TestReadUnfinishedDeliveries(t *testing.T) {
	dir := t.TempDir()
	if all, err := evidence.ReadUnfinishedDeliveries(dir); !errors.Is(err, fs.ErrNotExist) || all != nil {
		t.Errorf("%v, %v", all, err)
	}
	file := filepath.Join(dir, result.SentFile)
	if err := os.WriteFile(file, []byte(`{"delivery":"order","n":0,"is":"sent","t":0.1,"id":"a"}
{"delivery":"order","n":1,"is":"sent","t":0.2,"id":"b"}
{"delivery":"order","n":1,"is":"seen","t":0.3}
{"delivery":"order","n":1,"is":"acknowledged","t":0.4}
{"delivery":"order","n":0,"is":"acknowledged","t":0.5}
{"delivery":"order","n":2,"is":"sent","t":0.6,"id":"c"}
{"delivery":"order","n":3,"is":"sent","t":0.7,"id":"d"}
{"delivery":"order","n":2,"is":"refused","t":0.8}
{"delivery":"order","n":4,"is":"sent","t":0.9,"id":"e"}
{"delivery":"order","n":4,"is":"seen","t":0.95}
{"delivery":"mail","n":0,"is":"acknowledged","t":1,"id":"x"}
{"delivery":"mail","n":0,"is":"seen","t":1.5}
{"delivery":"order","n":4,"is":"ackn`), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := evidence.ReadUnfinishedDeliveries(dir)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	order, mail := all[0], all[1]
	if order.Name != "order" || order.Acknowledged != 2 || order.Unknown != 1 || order.Unanswered != 1 ||
		order.Last != .95 || order.Full {
		t.Errorf("%+v", order)
	}
	if mail.Name != "mail" || mail.Acknowledged != 1 || mail.Unknown+mail.Unanswered != 0 || mail.Last != 1.5 {
		t.Errorf("%+v", mail)
	}
	said := strings.Join((&evidence.Unfinished{Dir: dir}).Says(), "\n")
	for _, want := range []string{
		"Deliveries of order until 950ms: 2 messages acknowledged, of which 1 not seen yet: what became of them is " +
			"unknown, and they do not count as lost; 1 more sent without an answer so far.",
		"Deliveries of mail until 1.5s: 1 message acknowledged, all of them seen.",
		file,
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is missing in:\n%s", want, said)
		}
	}
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.ReadUnfinishedDeliveries(dir); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("%v", err)
	}
}
