package devserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"headgate/cmd/dev/devserver"
)

var mood = temporal.NewSearchAttributeKeyKeyword("Mood")

func TestServerAnswers(t *testing.T) {
	// SQLite reads names as URIs: the marks must not end the path.
	dir := filepath.Join(t.TempDir(), "a b", "50% c?d#e")
	begin := time.Now()
	s := start(t, dir)
	t.Logf("ready after %v", time.Since(begin).Round(time.Millisecond))

	t.Run("a workflow is found by its search attribute", func(t *testing.T) { findWorkflow(t, s) })
	t.Run("the web UI serves its page", func(t *testing.T) {
		if body := page(t, s.UI()); !strings.Contains(body, "<html") {
			t.Errorf("got %.200q, want a page", body)
		}
	})
	t.Run("the web UI reaches the server", func(t *testing.T) {
		if body := page(t, s.UI()+"/api/v1/namespaces/default"); !strings.Contains(body, `"315360000s"`) {
			t.Errorf("got %.500q, want the namespace with ten years of retention", body)
		}
	})
	t.Run("a second server is refused the directory", func(t *testing.T) {
		_, err := devserver.Start(t.Context(), dir, nil)
		if !errors.Is(err, devserver.ErrInUse) {
			t.Errorf("got %v, want %v", err, devserver.ErrInUse)
		}
	})
	t.Run("it stops, and starts again where it was", func(t *testing.T) {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		s := start(t, dir)
		if n := count(t, dial(t, s.Address()), "Mood = 'calm'"); n != 1 {
			t.Errorf("got %d workflows, want the one that was started before", n)
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	for _, tc := range []struct {
		name string
		o    devserver.Options
		ui   bool
	}{
		{name: "the server's port", o: devserver.Options{Port: port}},
		{name: "the web UI's port", o: devserver.Options{UIPort: port}, ui: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := devserver.Start(t.Context(), t.TempDir(), &tc.o)
			var portErr *devserver.PortError
			if !errors.As(err, &portErr) || portErr.Port != port || portErr.UI != tc.ui {
				t.Fatalf("got %v, want a PortError for %d", err, port)
			}
			if !strings.HasSuffix(err.Error(), " is taken by another program") {
				t.Errorf("got %q, want a sentence", err)
			}
		})
	}
}

func TestDirectoryThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := devserver.Start(t.Context(), filepath.Join(file, "dir"), nil); err == nil {
		t.Error("got a server inside a file, want an error")
	}
}

// findWorkflow starts a workflow that no worker takes, with a search attribute that
// was added a moment ago, and waits for the list to show it.
func findWorkflow(t *testing.T, s *devserver.Server) {
	c := dial(t, s.Address())
	_, err := c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace:        devserver.Namespace,
		SearchAttributes: map[string]enums.IndexedValueType{mood.GetName(): mood.GetValueType()},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID:                    "findable",
		TaskQueue:             "nobody",
		TypedSearchAttributes: temporal.NewSearchAttributes(mood.ValueSet("calm")),
	}, "Anything")
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the workflow in the list", func() bool { return count(t, c, "Mood = 'calm'") == 1 })
	if n := count(t, c, "Mood = 'wild'"); n != 0 {
		t.Errorf("got %d workflows for another value, want none", n)
	}
}

func start(t *testing.T, dir string) *devserver.Server {
	t.Helper()
	s, err := devserver.Start(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func count(t *testing.T, c client.Client, query string) int64 {
	t.Helper()
	res, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		t.Fatal(err)
	}
	return res.GetCount()
}

func page(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s (%v)", url, res.Status, err)
	}
	return string(body)
}

// waitFor asks until the answer is yes.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
