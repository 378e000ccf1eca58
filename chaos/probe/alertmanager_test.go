package probe_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/probe"
	"brunt/scenarios/suite"
)

// TestAlert_Alertmanager queries a real Alertmanager, Debian's, before and after it receives an alert,
// with another alert beside it.
func TestAlert_Alertmanager(t *testing.T) {
	path := suite.Program(t, "prometheus-alertmanager", "prometheus-alertmanager")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr, dir := l.Addr().String(), t.TempDir()
	l.Close()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, path, "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+addr,
		"--cluster.listen-address=",
		"--log.level=warn")
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	q := alertOf(t, "High", `{alertmanager: "http://`+addr+`", labels: {zone: a}}`)
	var s probe.AlertState
	suite.Until(t, "an answer of Alertmanager", func() bool {
		s, err = q.Ask(t.Context())
		return err == nil
	})

	if s.Firing || s.Pending || s.For >= 0 {
		t.Errorf("before anything it says %+v", s)
	}
	began := time.Now().Truncate(time.Millisecond)
	body := fmt.Sprintf(`[{"labels":{"alertname":"High","zone":"b"}},{"labels":{"alertname":"High","zone":"a"},"startsAt":%q}]`, began.Format(time.RFC3339Nano))
	resp, err := http.Post("http://"+addr+"/api/v2/alerts", "application/json", bytes.NewReader([]byte(body)))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	resp.Body.Close()
	if s, err = q.Ask(t.Context()); err != nil || !s.Firing || s.Silenced || !s.Since.Equal(began) ||
		s.Text != `alertname="High", zone="a"` {
		t.Errorf("it says %+v, %v; want since %s", s, err, began)
	}
	if ahead, within, err := q.Ahead(t.Context()); err != nil || ahead.Abs() > within {
		t.Errorf("its clock is %s ahead, within %s: %v", ahead, within, err)
	}
}
