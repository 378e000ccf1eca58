package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// Command runs command n of setup or teardown; what says which. Its output is kept among the logs of the run.
func (s *System) Command(ctx context.Context, what string, n int, c *probe.Once) error {
	h := s.host
	log, file, err := h.commandLog(what, n)
	if err != nil {
		return fmt.Errorf("keeping the output of %s: %w", c, err)
	}
	began := h.Log.Now()
	err = c.Run(ctx, chaos.Host{Run: h.Run, Addresses: h.Units}, log, file)
	err = errors.Join(err, log.Close())
	text := fmt.Sprintf("%s took %s", c, quantity.Brief(h.Log.Now()-began))
	if err != nil {
		text = err.Error()
	}
	if file != "" && !strings.Contains(text, file) {
		text += "; its output is in " + file
	}
	e := result.Event{Event: "setup.command", Text: text}
	if what == "teardown" {
		e = result.Event{Event: "teardown.command", Text: text}
	}
	h.Log.Event(e)
	return err
}

// commandLog opens the file for the output of a command. Without a folder for logs the output is not kept. file is
// relative to the folder of the run.
func (h *Host) commandLog(what string, n int) (log io.WriteCloser, file string, err error) {
	if h.LogDir == "" {
		log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		return log, "", err
	}
	name := fmt.Sprintf("%s.%d.log", what, n)
	masked, err := h.Plan.Scenario.Secrets.OpenLog(filepath.Join(h.LogDir, name), os.O_TRUNC)
	if err != nil {
		return nil, "", err
	}
	return masked, filepath.ToSlash(filepath.Join(filepath.Base(h.LogDir), name)), nil
}
