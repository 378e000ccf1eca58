package k6

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFiles: a script imports, requires and opens only files of the folders that a policy lets it read, also by a link;
// without a policy it opens what it names.
func TestFiles(t *testing.T) {
	outside := t.TempDir()
	for name, text := range map[string]string{
		"canary.txt": "canary", "canary.js": "export const canary = 'canary';", "canary.json": `{"a": "canary"}`,
		"canary.proto": `syntax = "proto3"; package p; message M {}`,
	} {
		if err := os.WriteFile(filepath.Join(outside, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, line := range map[string]string{
		"open":        "open('OUT/canary.txt');",
		"a link":      "open('link.txt');",
		"import":      "import { canary } from 'OUT/canary.js';",
		"require":     "require('OUT/canary.js');",
		"grpc":        "import grpc from 'k6/net/grpc'; new grpc.Client().load(['OUT'], 'canary.proto');",
		"a file":      "import { open as opened } from 'k6/experimental/fs'; const f = await opened('OUT/canary.txt');",
		"csv":         "import csv from 'k6/experimental/csv'; import { open as opened } from 'k6/experimental/fs'; await csv.parse(await opened('OUT/canary.txt'));",
		"shared data": "import { SharedArray } from 'k6/data'; new SharedArray('a', () => [open('OUT/canary.txt')]);",
	} {
		t.Run(name, func(t *testing.T) {
			c := script(t, strings.ReplaceAll(line, "OUT", filepath.ToSlash(outside))+
				"\nexport default function () {}\nexport const options = {duration: '1s', vus: 1};")
			own := filepath.Dir(c.Script)
			if err := os.Symlink(filepath.Join(outside, "canary.txt"), filepath.Join(own, "link.txt")); err != nil {
				t.Skip(err)
			}
			if _, err := inspect(t, c); err != nil {
				t.Errorf("without a policy: %v", err)
			}
			c.Files = [][]string{{own, outside}, {own}}
			if _, err := inspect(t, c); err == nil {
				t.Error("it is read")
			}
			c.Files = [][]string{{own, outside}}
			if _, err := inspect(t, c); err != nil {
				t.Errorf("of an allowed folder: %v", err)
			}
		})
	}
}

// TestConfig_CheckFile: a file lies in a folder of each list, after links are resolved.
func TestConfig_CheckFile(t *testing.T) {
	own, outside := t.TempDir(), t.TempDir()
	for _, dir := range []string{own, outside} {
		if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(own, "link")); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct {
		path  string
		lists [][]string
		ok    bool
	}{
		{filepath.Join(outside, "a"), nil, true},
		{filepath.Join(outside, "a"), [][]string{{own}}, false},
		{filepath.Join(own, "a"), [][]string{{own}}, true},
		{filepath.Join(own, "none"), [][]string{{own}}, true},
		{filepath.Join(own, "link", "a"), [][]string{{own}}, false},
		{filepath.Join(own, "..", filepath.Base(outside), "a"), [][]string{{own}}, false},
		{filepath.Join(outside, "a"), [][]string{{own, outside}, {own}}, false},
		{filepath.Join(outside, "a"), [][]string{{own, outside}, {own, outside}}, true},
	} {
		err := (&Config{Files: c.lists}).CheckFile(c.path)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of %v: %v", c.path, c.lists, err)
		}
	}
}
