package push

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// otlp sends metrics by OTLP: counters and gauges unchanged, native histograms as exponential ones. The
// exporter also reads settings, such as headers, from OpenTelemetry's environment variables.
type otlp struct {
	out  Out
	run  Run
	from *resource.Resource
	to   metric.Exporter // created at first use
	calls
}

// OTLP is the kind of service that receives OpenTelemetry's metrics.
func OTLP() Kind {
	return Kind{
		Name: "otlp", Brief: "OTLP over HTTP, or gRPC by grpc://", Token: "OTLP_TOKEN", open: newOTLP, GRPC: true,
		About: "Every second the run's metrics are sent to a collector of OpenTelemetry, by OTLP over HTTP, or over " +
			"gRPC if the URL begins with grpc:// or grpcs:// (TLS).",
	}
}

func newOTLP(o Out, run Run) encoder {
	return &otlp{out: o, run: run, from: resource.NewSchemaless(attribute.String("service.name", "brunt"))}
}

// exporter creates the exporter on its first call. Only one goroutine at a time may call it.
func (s *otlp) exporter(ctx context.Context) (to metric.Exporter, err error) {
	if s.to != nil {
		return s.to, nil
	}
	if s.out.grpc() {
		if err = s.dial(s.out, &s.run, nil); err != nil {
			return nil, err
		}
		to, err = otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithGRPCConn(s.conn),
			otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{Enabled: false}))
	} else {
		to, err = otlpmetrichttp.New(ctx,
			otlpmetrichttp.WithEndpointURL(s.out.plainAt("/v1/metrics")),
			otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression),
			otlpmetrichttp.WithHTTPClient(s.out.client(&s.run)),
			otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: false}))
	}
	if err != nil {
		return nil, err // to holds a nil pointer, so it is not nil itself
	}
	s.to = to
	return to, nil
}

// An otlpBatch is one second of metrics.
type otlpBatch struct {
	*otlp
	families []*dto.MetricFamily
}

func (s *otlp) encode(t tick) batch {
	if t.event != nil {
		return nil
	}
	return &otlpBatch{s, t.families}
}

func (*otlp) last(time.Time) batch { return nil }

func (p *otlpBatch) send(ctx context.Context) error {
	to, err := p.exporter(ctx)
	if err != nil {
		return err
	}
	gathered := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return p.families, nil })
	scopes, err := bridge.NewMetricProducer(bridge.WithGatherer(gathered)).Produce(ctx)
	if err != nil {
		return err
	}
	return to.Export(ctx, &metricdata.ResourceMetrics{Resource: p.from, ScopeMetrics: scopes})
}
