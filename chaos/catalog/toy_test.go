package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/scenarios/syntax"
)

// TestToy adds a fault with an undo operation of its own by one line, and holds it to the promises of all faults:
// plan, inject, verify, revert, and undo by the journal.
func TestToy(t *testing.T) {
	faults := append(catalog.Faults(), new(toy))
	if _, known := catalog.AllOperations()[opToy]; known {
		t.Fatal("the toy's operation is known without the toy")
	}
	d, ok := faults.Find("toy.flag")
	if !ok || d.Doc == "" || faults.Kinds()["toy.flag"] == nil {
		t.Fatalf("the list does not find the toy: %+v", d)
	}
	file := filepath.Join(t.TempDir(), "flag")
	chaostest.Run(t, "toy.flag: {file: \""+filepath.ToSlash(file)+"\"}",
		func(_ *testing.T, effective bool) chaostest.World {
			w := chaostest.World{Faults: faults}
			if !effective {
				w.Spoil = func() { _ = os.Remove(file) }
			}
			return w
		})
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the toy is still injected: %v", err)
	}
	_, err := catalog.AllOperations().Undo(t.Context(), chaos.Undo{Op: opToy})
	if !errors.Is(err, chaos.ErrUnknownOperation) || !strings.Contains(err.Error(), opToy) {
		t.Errorf("an undo of an operation that is not listed: %v", err)
	}
}

// A toy is a fault that creates a file.
type toy struct {
	File string `yaml:"file"`
}

const opToy = "toy.remove"

func (*toy) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "toy.flag", New: func() chaos.Fault { return new(toy) },
		Doc:  "Creates a file and removes it when the fault ends.",
		Undo: []chaos.Operation{{Name: opToy, Do: undoToy, Exclusive: true}},
	}
}

func undoToy(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var file string
	if err := json.Unmarshal(u.Identity, &file); err != nil {
		return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	err := os.Remove(file)
	if errors.Is(err, os.ErrNotExist) {
		return chaos.Gone, nil
	}
	if err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}

func (f *toy) Check(at syntax.Pos, _ chaos.Scope, m *syntax.Mistakes) {
	if f.File == "" {
		m.Add(at, "want file")
	}
}

func (f *toy) Plan(context.Context, chaos.Env) ([]chaos.Step, error) {
	return []chaos.Step{&toyStep{f.File}}, nil
}

func (f *toy) Traits(chaos.Scope) chaos.Traits { return chaos.Traits{Units: 1} }

type toyStep struct{ file string }

func (s *toyStep) String() string  { return "create " + s.file }
func (s *toyStep) Units() []string { return []string{"toy"} }
func (s *toyStep) Via() string     { return "file" }

func (s *toyStep) Undo() []chaos.Undo {
	id, _ := json.Marshal(s.file)
	return []chaos.Undo{{Op: opToy, Identity: id}}
}

func (s *toyStep) Inject(context.Context) (chaos.Held, error) {
	return s, os.WriteFile(s.file, nil, 0o600)
}

func (s *toyStep) Verify(context.Context) (string, error) {
	if _, err := os.Stat(s.file); err != nil {
		return "", fmt.Errorf("%w: %w", chaos.ErrNoEffect, err)
	}
	return s.file + " exists", nil
}

func (*toyStep) Traits() chaos.HeldTraits { return chaos.HeldTraits{} }

func (s *toyStep) Revert(ctx context.Context) (chaos.Outcome, error) {
	return undoToy(ctx, s.Undo()[0])
}

func (s *toyStep) Gone(context.Context) (string, error) {
	if _, err := os.Stat(s.file); !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s still exists: %w", s.file, err)
	}
	return s.file + " does not exist", nil
}
