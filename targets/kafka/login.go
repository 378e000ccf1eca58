package kafka

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/scram"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// login asks a broker for the versions that it knows, and proves the user to it.
func (c *client) login(ctx context.Context, on *conn) error {
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	resp, err := on.call(ctx, kmsg.NewPtrApiVersionsRequest())
	if err != nil {
		return err
	}
	all := resp.(*kmsg.ApiVersionsResponse)
	if err := refused("the versions that the broker knows", all.ErrorCode); err != nil {
		return err
	}
	speaks := map[int16][2]int16{}
	for _, k := range all.ApiKeys {
		speaks[k.ApiKey] = [2]int16{k.MinVersion, k.MaxVersion}
	}
	on.speaks = speaks
	if c.at.mechanism == "" {
		return nil
	}
	shake := kmsg.NewPtrSASLHandshakeRequest()
	shake.Mechanism = strings.ToUpper(c.at.mechanism)
	if resp, err = on.call(ctx, shake); err != nil {
		return err
	}
	offers := resp.(*kmsg.SASLHandshakeResponse)
	if err := refused("the login by "+shake.Mechanism, offers.ErrorCode); err != nil {
		if len(offers.SupportedMechanisms) > 0 {
			const most = 200
			err = &targets.Error{
				Cause: causeOf(offers.ErrorCode),
				Text: err.Error() + " It offers " +
					targets.Clip(strings.Join(offers.SupportedMechanisms, ", "), most),
			}
		}
		return err
	}
	prove := func(message string) (string, error) {
		auth := kmsg.NewPtrSASLAuthenticateRequest()
		auth.SASLAuthBytes = []byte(message)
		resp, err := on.call(ctx, auth)
		if err != nil {
			return "", fmt.Errorf("during the login by %s, where some brokers close the connection if they refuse it: %w",
				shake.Mechanism, err)
		}
		said := resp.(*kmsg.SASLAuthenticateResponse)
		return string(said.SASLAuthBytes), refused("the login by "+shake.Mechanism, said.ErrorCode)
	}
	switch c.at.mechanism {
	case "scram-sha-256":
		return scram.Prove(sha256.New, c.at.user, c.at.password, prove)
	case "scram-sha-512":
		return scram.Prove(sha512.New, c.at.user, c.at.password, prove)
	}
	_, err = prove("\x00" + c.at.user + "\x00" + c.at.password)
	return err
}
