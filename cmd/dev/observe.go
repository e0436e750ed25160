package main

import (
	"context"
	"net"
	"time"

	sdklog "go.temporal.io/sdk/log"
)

// metricsAddress is where Prometheus finds a site, as it finds a worker.
const metricsAddress = "127.0.0.1:8090"

// listenMetrics takes the usual address or, if somebody has it, any other.
func listenMetrics() (net.Listener, error) {
	if l, err := net.Listen("tcp", metricsAddress); err == nil {
		return l, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// metrics is the address of what the site measures.
func (s *site) metrics() string { return "http://" + s.listen.Addr().String() + "/metrics" }

// stopTelling sends off the last traces.
func (s *site) stopTelling(log sdklog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.told.Stop(ctx); err != nil {
		log.Warn("telemetry", "error", err.Error())
	}
}
