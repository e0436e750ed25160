package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthAsksTheWorkerWithTheSameSettings(t *testing.T) {
	answering := func(code int, body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/health" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			http.Error(w, body, code)
		}))
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	_, port, _ := strings.Cut(answering(http.StatusOK, "ok"), ":")
	for _, test := range []struct {
		name, address  string
		code           int
		stdout, stderr string
	}{
		{name: "all is well", address: "127.0.0.1:" + port, stdout: "ok\n"},
		{name: "a worker that listens everywhere is asked here", address: "0.0.0.0:" + port, stdout: "ok\n"},
		{name: "so is one without a host", address: ":" + port, stdout: "ok\n"},
		{name: "the reason is said", address: answering(http.StatusServiceUnavailable, "temporal: gone"), code: 1, stderr: "the worker cannot work: temporal: gone"},
		{name: "nobody is there", address: "127.0.0.1:1", code: 1, stderr: "no worker answers: "},
		{name: "nobody is to answer", address: "", code: 1, stderr: "HEADGATE_HEALTH is empty"},
		{name: "no address", address: "8090", code: 2, stderr: `HEADGATE_HEALTH="8090": want host:port`},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := command(t, map[string]string{"HEADGATE_STORE": "x", "HEADGATE_HEALTH": test.address}, "health")
			if code != test.code || stdout != test.stdout || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit %d, stdout %q, stderr %q; want %d, %q, %q", code, stdout, stderr, test.code, test.stdout, test.stderr)
			}
		})
	}
}
