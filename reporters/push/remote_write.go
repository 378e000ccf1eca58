package push

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	prompb "buf.build/gen/go/prometheus/prometheus/protocolbuffers/go"
	"github.com/klauspost/compress/snappy"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// remoteWrite sends samples by Prometheus' remote write protocol, version 1.0:
// https://prometheus.io/docs/specs/prw/remote_write_spec/. It sends native histograms. If the service refuses them,
// it sends classic histograms from then on.
type remoteWrite struct {
	client  *http.Client
	url     string
	classic atomic.Bool     // native histograms were refused
	began   map[string]bool // counters and histograms that were sent before
	before  int64           // time of the previous second in milliseconds; zero: none
}

// Prometheus is the kind of service that receives metrics by remote write.
func Prometheus() Kind {
	return Kind{
		Name: "prometheus", Brief: "remote write", Token: "PROMETHEUS_TOKEN", open: newRemoteWrite,
		About: "Every second the run's metrics are sent by Prometheus' remote write protocol, version 1.0.",
	}
}

func newRemoteWrite(o Out, run Run) encoder {
	return &remoteWrite{client: o.client(&run), url: o.plain().String(), began: map[string]bool{}}
}

// A writeBatch is one second of samples.
type writeBatch struct {
	*remoteWrite
	at, before int64
	families   []*dto.MetricFamily
	fresh      map[string]bool // series that begin in this second
}

func (w *remoteWrite) encode(t tick) batch {
	if t.event != nil {
		return nil
	}
	p := &writeBatch{
		remoteWrite: w, at: t.at.UnixMilli(), before: w.before, families: t.families, fresh: map[string]bool{},
	}
	if p.before == 0 || p.before >= p.at {
		p.before = p.at - time.Second.Milliseconds()
	}
	for _, f := range t.families {
		if f.GetType() == dto.MetricType_GAUGE {
			continue
		}
		for _, m := range f.Metric {
			if k := seriesKey(f, m); !w.began[k] {
				w.began[k], p.fresh[k] = true, true
			}
		}
	}
	w.before = p.at
	return p
}

func (*remoteWrite) last(time.Time) batch { return nil }

func seriesKey(f *dto.MetricFamily, m *dto.Metric) string {
	var b strings.Builder
	b.WriteString(f.GetName())
	for _, l := range m.Label {
		b.WriteString("\x00" + l.GetName() + "\x00" + l.GetValue())
	}
	return b.String()
}

func (p *writeBatch) send(ctx context.Context) error {
	err := p.post(ctx)
	if r, ok := errors.AsType[*statusError](err); ok && !p.classic.Load() &&
		strings.Contains(strings.ToLower(r.body), "native histogram") {
		p.classic.Store(true)
		return p.post(ctx)
	}
	return err
}

func (p *writeBatch) post(ctx context.Context) error {
	b, err := proto.Marshal(p.request())
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(snappy.Encode(nil, b)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	return resp.Body.Close()
}

// request encodes the batch.
func (p *writeBatch) request() *prompb.WriteRequest {
	out := &prompb.WriteRequest{}
	for _, f := range p.families {
		for _, m := range f.Metric {
			fresh := p.fresh[seriesKey(f, m)]
			if h := m.Histogram; h != nil {
				p.histogram(out, f.GetName(), m, fresh)
				continue
			}
			v := m.GetGauge().GetValue() + m.GetCounter().GetValue() // one of them is set
			out.Timeseries = append(out.Timeseries, p.samples(f.GetName(), m, fresh, v))
		}
	}
	return out
}

// samples returns a series with its value. A new series also gets a zero one second earlier, so that a rate includes
// its first second.
func (p *writeBatch) samples(name string, m *dto.Metric, fresh bool, v float64, more ...string) *prompb.TimeSeries {
	s := &prompb.TimeSeries{Labels: labelsOf(name, m, more...)}
	if fresh {
		s.Samples = append(s.Samples, &prompb.Sample{Timestamp: p.before})
	}
	s.Samples = append(s.Samples, &prompb.Sample{Value: v, Timestamp: p.at})
	return s
}

// histogram adds a histogram.
func (p *writeBatch) histogram(to *prompb.WriteRequest, name string, m *dto.Metric, fresh bool) {
	h := m.Histogram
	if !p.classic.Load() {
		s := &prompb.TimeSeries{Labels: labelsOf(name, m)}
		if fresh {
			s.Histograms = append(s.Histograms, nativeOf(&dto.Histogram{Schema: h.Schema, ZeroThreshold: h.ZeroThreshold},
				p.before))
		}
		s.Histograms = append(s.Histograms, nativeOf(h, p.at))
		to.Timeseries = append(to.Timeseries, s)
		return
	}
	to.Timeseries = append(
		to.Timeseries,
		p.samples(name+"_count", m, fresh, float64(h.GetSampleCount())),
		p.samples(name+"_sum", m, fresh, h.GetSampleSum()),
		p.samples(name+"_bucket", m, fresh, float64(h.GetSampleCount()), "le", "+Inf"))
	for _, b := range h.Bucket {
		to.Timeseries = append(to.Timeseries, p.samples(name+"_bucket", m, fresh, float64(b.GetCumulativeCount()), "le",
			boundText(b.GetUpperBound())))
	}
}

// boundText formats a bound like Prometheus, because "1.0" and "1" are different labels.
func boundText(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if v == math.Trunc(v) && !strings.Contains(s, "e") {
		s += ".0"
	}
	return s
}

func nativeOf(h *dto.Histogram, at int64) *prompb.Histogram {
	return &prompb.Histogram{
		Count: &prompb.Histogram_CountInt{CountInt: h.GetSampleCount()}, Sum: h.GetSampleSum(), Schema: h.GetSchema(),
		ZeroThreshold: h.GetZeroThreshold(), ZeroCount: &prompb.Histogram_ZeroCountInt{ZeroCountInt: h.GetZeroCount()},
		PositiveSpans: spansOf(h.PositiveSpan), PositiveDeltas: h.PositiveDelta, Timestamp: at,
	}
}

func spansOf(spans []*dto.BucketSpan) []*prompb.BucketSpan {
	var out []*prompb.BucketSpan
	for _, s := range spans {
		if s.GetLength() > 0 {
			out = append(out, &prompb.BucketSpan{Offset: s.GetOffset(), Length: s.GetLength()})
		}
	}
	return out
}

// labelsOf returns the labels of a series, sorted by name. It omits labels without a value.
func labelsOf(name string, m *dto.Metric, more ...string) []*prompb.Label {
	out := []*prompb.Label{{Name: "__name__", Value: name}}
	for _, l := range m.Label {
		if l.GetValue() != "" {
			out = append(out, &prompb.Label{Name: l.GetName(), Value: l.GetValue()})
		}
	}
	for i := 0; i < len(more); i += 2 {
		out = append(out, &prompb.Label{Name: more[i], Value: more[i+1]})
	}
	slices.SortFunc(out, func(a, b *prompb.Label) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
