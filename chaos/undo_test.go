package chaos_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
)

// TestOperations_Revert checks how often an undo that fails is tried, and for how long.
func TestOperations_Revert(t *testing.T) {
	busy := errors.New("the kernel keeps one of its threads")
	for _, c := range []struct {
		name  string
		fails int
		with  error
		tries int // zero is many
		most  time.Duration
		err   error
	}{
		{"it succeeds", 0, nil, 1, 0, nil},
		{"it succeeds later", 4, busy, 5, 10 * time.Second, nil},
		{"it fails for ever", 1000, busy, 0, 17 * time.Second, busy},
		{"one of two may pass", 1000, chaos.JoinErrors(fs.ErrPermission, busy), 0, 17 * time.Second, busy},
		{"brunt lacks a right", 1000, fs.ErrPermission, 1, 0, fs.ErrPermission},
		{"it can't be read", 1000, chaos.ErrDamaged, 1, 0, chaos.ErrDamaged},
		{"it tries by itself", 1000, chaos.TriedError{Err: busy}, 1, 0, busy},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, began := 0, time.Now()
				ops := chaos.OperationsOf([]chaos.Operation{{
					Name: "it",
					Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
						if tries++; tries <= c.fails {
							return chaos.Failed, c.with
						}
						return chaos.Reverted, nil
					},
				}})
				out, err := ops.Revert(t.Context(), []chaos.Undo{{Op: "it"}})
				if !errors.Is(err, c.err) || (err == nil) != (out == chaos.Reverted) {
					t.Errorf("%s, %v", out, err)
				}
				if took := time.Since(began); took > c.most || tries != c.tries && c.tries > 0 || c.tries == 0 && tries < 5 {
					t.Errorf("%d attempts in %s, want %d in %s", tries, took, c.tries, c.most)
				}
			})
		})
	}
}

// TestOperations_Revert_Order: undos run in the reverse order of their injection, all of them although one fails.
func TestOperations_Revert_Order(t *testing.T) {
	broken := errors.New("it is not there")
	var ran []string
	note := func(name string, err error) chaos.Operation {
		return chaos.Operation{Name: name, Do: func(context.Context, chaos.Undo) (chaos.Outcome, error) {
			ran = append(ran, name)
			if err != nil {
				return chaos.Failed, chaos.TriedError{Err: err}
			}
			return chaos.Reverted, nil
		}}
	}
	ops := chaos.OperationsOf([]chaos.Operation{note("first", nil), note("second", broken), note("third", nil)})
	out, err := ops.Revert(t.Context(), []chaos.Undo{{Op: "first"}, {Op: "second"}, {Op: "third"}})
	if out != chaos.Failed || !errors.Is(err, broken) {
		t.Errorf("%s, %v", out, err)
	}
	if want := []string{"third", "second", "first"}; !slices.Equal(ran, want) {
		t.Errorf("%q ran, want %q", ran, want)
	}
}
