package converttest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Golden are the files of testdata whose scenarios are kept, with their formats.
var Golden = map[string]string{
	"targets.vegeta": "vegeta", "targets.vegeta.json": "vegeta", "shop.har": "har", "shop.openapi.yaml": "openapi",
	"petstore.openapi.json": "openapi",
	"shop.jmx":              "jmeter", "groups.jmx": "jmeter", "session.curl.sh": "curl", "windows.curl.bat": "curl",
	"script.k6.js": "k6", "shop.protoset": "grpc",
	"proxies.toxiproxy.json": "toxiproxy", "api.toxiproxy.json": "toxiproxy",
	"shop.chaos-mesh.yaml": "chaos-mesh", "shop.openslo.yaml": "openslo",
	"mesh.disruptor.js": "disruptor", "shop.postman.json": "postman",
}

// Sources returns the paths of all sources below testdata with their formats: the golden ones, and those in a folder
// with the name of a format.
func Sources(t testing.TB, testdata string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, kind := range Golden {
		out[filepath.Join(testdata, name)] = kind
	}
	all, err := filepath.Glob(filepath.Join(testdata, "*", "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !strings.HasSuffix(path, ".want") {
			out[path] = filepath.Base(filepath.Dir(path))
		}
	}
	return out
}
