package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthTimeout bounds a question to the health endpoint, which itself gives Temporal
// and the store five seconds.
const healthTimeout = 8 * time.Second

// askHealth asks the worker that has the same settings, on this machine or in this
// container, whether it can do its work. It is for containers without a shell.
func askHealth(ctx context.Context, address string, out io.Writer) error {
	if address == "" {
		return errors.New("HEADGATE_HEALTH is empty: the worker answers nobody")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no worker answers: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return err
	}
	if said := strings.TrimSpace(string(body)); answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the worker cannot work: %s", said)
	}
	_, err = io.WriteString(out, "ok\n")
	return err
}
