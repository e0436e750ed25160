package devserver

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// newUI returns Temporal's Web UI, whose pages are part of this program. It makes
// no request to anything but the server beside it.
func newUI(p ports) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		TemporalGRPCAddress: net.JoinHostPort(loopback, strconv.Itoa(p.frontend)),
		Host:                loopback,
		Port:                p.ui,
		EnableUI:            true,
		DefaultNamespace:    Namespace,
		DisableNewsFetch:    true,
		HideLogs:            true,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // the page is plain HTTP
	}))
}

// serveUI serves until Stop.
func (s *Server) serveUI() {
	if err := s.ui.Start(); err != nil {
		select {
		case s.failed <- fmt.Errorf("temporal web UI: %w", err):
		default:
		}
	}
}

// waitForUI returns when the UI at the URL answers.
func waitForUI(ctx context.Context, url string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := get(ctx, url+"/healthz")
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("temporal web UI: %w", err)
		}
	}
}

// get succeeds if the URL answers with status 200.
func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return nil
}
