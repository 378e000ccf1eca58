package demo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReportCrashes lets another process of this test crash: its report stays in the folder, until an orderly end.
func TestReportCrashes(t *testing.T) {
	env := map[string]string{"BRUNT_ADDR": "127.0.0.1:4711", "DEMO_CRASH_REPORTS": os.Getenv("DEMO_TEST_CRASH")}
	if env["DEMO_CRASH_REPORTS"] != "" {
		if _, err := reportCrashes(func(k string) string { return env[k] }); err != nil {
			t.Fatal(err)
		}
		go panic("out of order")
		select {}
	}
	folder := filepath.Join(t.TempDir(), "reports")
	c := exec.Command(os.Args[0], "-test.run=^TestReportCrashes$")
	c.Env = append(os.Environ(), "DEMO_TEST_CRASH="+folder)
	if out, err := c.CombinedOutput(); err == nil {
		t.Fatalf("it did not crash: %s", out)
	}
	report, err := os.ReadFile(filepath.Join(folder, "4711.crash"))
	if err != nil || !strings.Contains(string(report), "out of order") {
		t.Fatalf("%v: %s", err, report)
	}
	env["DEMO_CRASH_REPORTS"] = folder
	forget, err := reportCrashes(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(filepath.Join(folder, "4711.crash")); err != nil || string(again) != string(report) {
		t.Errorf("the next start changed it: %v", err)
	}
	forget()
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// TestReportCrashes_Mistakes: a folder that can't be made is named.
func TestReportCrashes_Mistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"BRUNT_ADDR": "127.0.0.1:4711", "DEMO_CRASH_REPORTS": file}
	if _, err := reportCrashes(func(k string) string { return env[k] }); err == nil ||
		!strings.Contains(err.Error(), file) {
		t.Error(err)
	}
}
