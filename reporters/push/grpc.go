package push

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"brunt/reporters/words"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// calls is a connection of gRPC to a service, for an exporter of OpenTelemetry.
type calls struct {
	conn *grpc.ClientConn // nil: none
}

// dial makes the connection, which is opened by its first call. Calls carry the credentials of the service, and go
// only to addresses that the run may reach. Accepted is whether the last call succeeded; nil is allowed.
func (c *calls) dial(o Out, run *Run, accepted *bool) (err error) {
	secured := insecure.NewCredentials()
	if o.To.Scheme == "grpcs" {
		secured = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	pause := backoff.DefaultConfig
	pause.MaxDelay = mostPause                                  // calls fail meanwhile
	c.conn, err = grpc.NewClient("passthrough:///"+o.address(), // so that Reach sees the name
		grpc.WithTransportCredentials(secured), grpc.WithUserAgent("brunt"), grpc.WithNoProxy(),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return run.Reach.Dial(ctx, "tcp", addr)
		}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pause, MinConnectTimeout: mostPause}),
		grpc.WithDefaultCallOptions(grpc.UseCompressor(gzip.Name)),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, req, reply any, via *grpc.ClientConn,
			invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
		) error {
			if by := o.authorization(); by != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", by)
			}
			err := invoke(ctx, method, req, reply, via, opts...)
			if accepted != nil {
				*accepted = err == nil
			}
			return refused(err)
		}))
	return err
}

// Close closes the connection, if there is one.
func (c *calls) Close() error {
	if c.conn == nil {
		return nil
	}
	return c.conn.Close()
}

// refused returns the error of a call for its reader. The codes after which the same call may succeed are those of
// OTLP's specification ("Failures" of OTLP/gRPC). It retries RESOURCE_EXHAUSTED too, as 429 of HTTP.
func refused(err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	text := strings.TrimSpace(words.Clean(s.Message()[:min(len(s.Message()), mostBody)]))
	switch s.Code() {
	case codes.Unavailable, codes.Canceled, codes.DeadlineExceeded: // mostly no answer
		return errors.New(text)
	case codes.Aborted, codes.OutOfRange, codes.DataLoss, codes.ResourceExhausted:
		r := &statusError{status: s.Code().String(), body: text}
		for _, d := range s.Details() {
			if wait, ok := d.(*errdetails.RetryInfo); ok {
				r.after = max(wait.GetRetryDelay().AsDuration(), time.Second)
			}
		}
		return r
	default:
		return &statusError{status: s.Code().String(), body: text, final: true}
	}
}
