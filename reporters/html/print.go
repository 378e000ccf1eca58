package html

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// browsers lists programs that can print a page. The first one that is installed is used.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
	`C:\Program Files\Google\Chrome\Application\chrome.exe`,
	`C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe`,
}

// errNoBrowser reports that no program is installed that can print the page.
var errNoBrowser = errors.New("a PDF is printed by Chromium, and none is installed: install chromium (Debian: " +
	"apt-get install chromium), " +
	"Google Chrome or Microsoft Edge; or open report.html in a browser and print it there")

// printTime bounds how long a browser may take.
const printTime = 2 * time.Minute

// PDF prints the page of a result with an installed Chromium, which gets no network. If none is installed, the error
// says which program to install.
func PDF(ctx context.Context, w io.Writer, r *result.Result) (err error) {
	browser := ""
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		return errNoBrowser
	}
	dir, err := os.MkdirTemp("", "brunt-pdf-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	page, out := filepath.Join(dir, File), filepath.Join(dir, "report.pdf")
	f, err := os.OpenFile(page, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(Page{}.Report(f, r), f.Close()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	args := []string{
		"--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-quic",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + filepath.Join(dir, "profile"), "--no-pdf-header-footer",
		"--print-to-pdf=" + out,
	}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // Chromium's sandbox refuses root
	}
	c := exec.CommandContext(ctx, browser, append(args,
		(&url.URL{Scheme: "file", Path: filepath.ToSlash(page)}).String())...)
	c.WaitDelay = 5 * time.Second
	said, err := c.CombinedOutput()
	pdf, rerr := disk.Open(out)
	if rerr != nil {
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		return fmt.Errorf("%s printed nothing: %w; it said: %s", browser, errors.Join(err, ctx.Err()), lines[len(lines)-1])
	}
	defer pdf.Close()
	_, err = io.Copy(w, pdf)
	return err
}
