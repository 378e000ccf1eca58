// Package brunttest runs scenarios in tests of Go. Each objective of a scenario is a subtest, so that `go test` names
// the one that failed, and the log names the report.
//
//	func TestMain(m *testing.M) { brunttest.Main(m) }
//
//	func TestShop(t *testing.T) {
//		server := httptest.NewServer(shop.New())
//		defer server.Close()
//		brunttest.Run(t, "shop.yaml", brunttest.Set("url", server.URL))
//	}
//
// A run starts children: a watchdog that takes faults back even if the test is killed, proxies, and services of the
// built-in system. They are the test's own program, started again, and [Main] plays their part. Faults on containers
// need a test that is linked statically (CGO_ENABLED=0); loads by several workers and faults on pods need the program
// brunt.
package brunttest
