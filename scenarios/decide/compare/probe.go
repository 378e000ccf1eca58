package compare

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"time"

	"brunt/scenarios/machine"
	"brunt/scenarios/result"
)

const (
	pings     = 150
	pingEvery = 2 * time.Millisecond
	pingWork  = 64 << 10        // bytes that the server hashes for each answer
	pingLimit = 5 * time.Second // for all answers together
)

// probe measures this machine without the target. A server in this process answers on loopback 150 times in 0.3 s,
// each time after a little work. It returns the median and the 95th percentile of the response times.
func probe(ctx context.Context) (middle, slow time.Duration, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, 0, fmt.Errorf("calibration probe: %w", err)
	}
	served := make(chan struct{})
	defer func() { <-served }()
	defer l.Close()
	go func() {
		defer close(served)
		answer(l)
	}()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return 0, 0, fmt.Errorf("calibration probe: %w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(pingLimit))
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	var took []time.Duration
	b := make([]byte, sha256.Size)
	for range pings {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		}
		begin := time.Now()
		if _, err := conn.Write(b[:1]); err != nil {
			return 0, 0, fmt.Errorf("calibration probe: %w", err)
		}
		if _, err := io.ReadFull(conn, b); err != nil {
			return 0, 0, fmt.Errorf("calibration probe: %w", err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[pings/2], took[pings*95/100], nil
}

// answer serves one connection until its other end closes it.
func answer(l net.Listener) {
	conn, err := l.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(pingLimit))
	work, b := make([]byte, pingWork), make([]byte, 1)
	for {
		if _, err := io.ReadFull(conn, b); err != nil {
			return
		}
		sum := sha256.Sum256(work)
		if _, err := conn.Write(sum[:]); err != nil {
			return
		}
	}
}

// A NoiseMeter measures the machine around one run.
type NoiseMeter struct {
	probed  []time.Duration // the median of each probe
	slowest []time.Duration // the 95th percentile of each
	began   time.Time
	waited  time.Duration
	known   bool // the kernel reports CPU pressure
}

// BeginNoise probes the machine, and begins to measure.
func BeginNoise(ctx context.Context) *NoiseMeter {
	m := &NoiseMeter{}
	m.calibrate(ctx)
	m.began = time.Now()
	m.waited, m.known = machine.CPUWaited()
	return m
}

// calibrate adds a probe. If it fails, for example because there is no loopback, the figures are not known.
func (m *NoiseMeter) calibrate(ctx context.Context) {
	if middle, slow, err := probe(ctx); err == nil {
		m.probed, m.slowest = append(m.probed, middle), append(m.slowest, slow)
	}
}

// End probes the machine again, and returns the noise of the run.
func (m *NoiseMeter) End(ctx context.Context, r *result.Result) Noise {
	pressure := result.NaN
	if waited, known := machine.CPUWaited(); known && m.known {
		pressure = result.Num(math.Min(1, (waited-m.waited).Seconds()/max(time.Since(m.began).Seconds(), 1e-3)))
	}
	m.calibrate(ctx)
	n := m.atRest()
	n.Lag, n.Steal, n.Pressure = r.Generator.Lag.P99, r.Generator.Steal, pressure
	return n
}

// atRest returns the figures of the probes only.
func (m *NoiseMeter) atRest() Noise {
	n := Noise{Lag: result.NaN, Steal: result.NaN, Pressure: result.NaN, Probe: result.NaN, Slowest: result.NaN}
	if len(m.probed) > 0 {
		n.Probe, n.Slowest = result.Sec(slices.Max(m.probed)), result.Sec(slices.Max(m.slowest))
	}
	return n
}

// NoiseOf returns the noise of this machine at rest, from one probe.
func NoiseOf(ctx context.Context) Noise {
	m := &NoiseMeter{}
	m.calibrate(ctx)
	return m.atRest()
}
