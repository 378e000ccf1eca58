package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	faultcatalog "brunt/chaos/catalog"
)

// theirKinds are the faults of each tool that the page "your fault in brunt" must have, each with a fault of brunt's.
var theirKinds = map[string][]string{
	"Litmus": strings.Fields(`pod-delete container-kill pod-network-latency pod-network-loss pod-network-corruption
		pod-network-duplication pod-network-partition pod-network-rate-limit pod-cpu-hog pod-cpu-hog-exec pod-memory-hog
		pod-memory-hog-exec pod-io-stress disk-fill pod-dns-error pod-dns-spoof pod-http-latency pod-http-status-code
		pod-http-reset-peer pod-http-modify-header pod-http-modify-body node-drain node-taint pod-autoscaler`),
	"Chaos Toolkit": strings.Fields(`terminate_pods delete_pods drain_nodes cordon_node create_latency_toxic
		create_bandwith_degradation_toxic create_timeout_toxic create_reset_peer_toxic create_slicer_toxic
		create_limiter_toxic create_slow_connection_close_toxic disable_proxy kill stop pause restart process HTTP`),
	"pumba": strings.Fields(`kill stop restart rm pause exec delay loss loss-state loss-gemodel duplicate corrupt rate
		iptables --cpu --vm --io --hdd`),
}

// TestYourFault checks each fault of the page "your fault in brunt": validate accepts it, on a target of the tool's own
// sort. Each kind of theirs has one.
func TestYourFault(t *testing.T) {
	page := read(t, filepath.Join(top, "scenarios", "edit", "reference", "topics", "your-fault.md"))
	const units = "units: {cart: {container: cart}}"
	const pods = "kubernetes: {context: kind-kind, namespace: shop, services: {cart: {pods: {app: cart}}}}"
	code := regexp.MustCompile("`([^`]+)`")
	word := regexp.MustCompile(`[A-Za-z_-]+`)
	tool, had := "", map[string][]string{}
	for line := range strings.Lines(page) {
		cells := strings.SplitN(strings.Trim(strings.TrimSpace(line), "|"), " | ", 2)
		if len(cells) < 2 || strings.HasPrefix(line, "|---") {
			continue
		}
		if strings.TrimSpace(cells[1]) == "in brunt" {
			tool = strings.TrimSpace(cells[0])
			continue
		}
		faults := 0
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			kind, settings, ok := strings.Cut(m[1], ": {")
			if _, known := faultcatalog.Find(kind); !ok || !known {
				continue
			}
			faults++
			target, ends := units, ", for: 10s"
			if d, _ := faultcatalog.Find(kind); d.OneShot() && !strings.Contains(settings, "undo:") {
				ends = ""
			}
			if tool == "Litmus" || strings.HasPrefix(kind, "pod.") || strings.HasPrefix(kind, "node.") {
				target = pods
			}
			file := filepath.Join(t.TempDir(), "s.yaml")
			text := "version: 1\ntarget: {url: \"http://127.0.0.1:8080\", " + target + "}\n" +
				"guard: {allow: {chaos: [kubernetes/kind-kind/shop], nodes: {pool: apps}}}\n" +
				"load: {a: {executor: constant-arrival-rate, rate: 50/s, duration: 1m, flow: [{get: /}]}}\n" +
				"chaos: {f: {at: 20s" + ends + ", " + kind + ": {" + settings + "}}\nslo: [\"errors < 1%\"]\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := compile(file, nil); err != nil {
				t.Errorf("%s, %s: %v", tool, m[1], err)
			}
		}
		if faults > 0 {
			had[tool] = append(had[tool], word.FindAllString(cells[0], -1)...)
		}
	}
	for tool, kinds := range theirKinds {
		for _, kind := range kinds {
			if !slices.Contains(had[tool], kind) {
				t.Errorf("%s: the page has no fault for %s", tool, kind)
			}
		}
	}
}
