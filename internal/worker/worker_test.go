package worker_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"headgate/internal/worker"
	"headgate/workflows"
)

// A frontend answers what a worker asks of Temporal beside polling: whether it is well, and
// which search attributes there are.
type frontend struct {
	operatorservice.UnimplementedOperatorServiceServer
	workflowservice.UnimplementedWorkflowServiceServer
	have   map[string]enums.IndexedValueType
	locked bool // nobody may add attributes
	added  map[string]enums.IndexedValueType
}

func (f *frontend) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest) (*operatorservice.ListSearchAttributesResponse, error) {
	if f.have == nil {
		return nil, serviceerror.ToStatus(serviceerror.NewNamespaceNotFound("shop")).Err()
	}
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: f.have}, nil
}

func (f *frontend) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest) (*operatorservice.AddSearchAttributesResponse, error) {
	if f.locked {
		return nil, status.Error(codes.PermissionDenied, "not here")
	}
	f.added = r.SearchAttributes
	return &operatorservice.AddSearchAttributesResponse{}, nil
}

// serve returns a client of a frontend.
func serve(t *testing.T, f *frontend) client.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	well := health.NewServer()
	well.SetServingStatus("temporal.api.workflowservice.v1.WorkflowService", grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(s, well)
	operatorservice.RegisterOperatorServiceServer(s, f)
	workflowservice.RegisterWorkflowServiceServer(s, f)
	go s.Serve(l)
	t.Cleanup(s.Stop)
	return lazy(t, l.Addr().String())
}

func lazy(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{HostPort: address, Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestNewRefusesAStoreThatItCannotUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, store, want string }{
		{"none is named", "", "set HEADGATE_STORE to a directory or a URL"},
		{"its scheme is unknown", "ftp://shop/data", "the scheme is none of file, mem, s3, gs, azblob"},
		{"it is no directory", file, file},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := worker.New(t.Context(), worker.Config{Store: tt.store}, lazy(t, "127.0.0.1:1")); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestHealthNamesWhatDoesNotAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		client func(t *testing.T) client.Client
		want   string // first words of the answer
		code   int
	}{
		{"all is well", func(t *testing.T) client.Client { return serve(t, &frontend{}) }, "ok\n", http.StatusOK},
		{"nobody is at Temporal's address", func(t *testing.T) client.Client { return lazy(t, "127.0.0.1:1") }, "temporal: ", http.StatusServiceUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := worker.New(t.Context(), worker.Config{Store: "mem://"}, tt.client(t))
			if err != nil {
				t.Fatal(err)
			}
			if code, body := ask(t, w); code != tt.code || !strings.HasPrefix(body, tt.want) {
				t.Errorf("answer %d %q, want %d %q", code, body, tt.code, tt.want)
			}
		})
	}
}

// ask serves the health of a worker for as long as one answer takes.
func ask(t *testing.T, w *worker.Worker) (code int, body string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.ServeHealth(ctx, l) }()
	r, err := http.Get("http://" + l.Addr().String() + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("the endpoint ended with %v", err)
	}
	return r.StatusCode, string(text)
}

func TestSearchAttributesThatAreMissingAreAdded(t *testing.T) {
	all := map[string]enums.IndexedValueType{}
	for _, a := range workflows.SearchAttributes() {
		all[a.Name] = a.Type
	}
	one := workflows.SearchAttributes()[0]
	for _, tt := range []struct {
		name  string
		f     *frontend
		added int
		want  string // of the error; "" for none
	}{
		{"all are there", &frontend{have: all}, 0, ""},
		{"one is there", &frontend{have: map[string]enums.IndexedValueType{one.Name: one.Type}}, len(all) - 1, ""},
		{"none is there", &frontend{have: map[string]enums.IndexedValueType{"Other": one.Type}}, len(all), ""},
		{"nobody may add them", &frontend{have: map[string]enums.IndexedValueType{"Other": one.Type}, locked: true}, 0, "temporal operator search-attribute create --name " + one.Name + " --type " + one.Type.String()},
		{"there is no such namespace", &frontend{}, 0, `namespace "shop" does not exist on this Temporal; set TEMPORAL_NAMESPACE or create it`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := worker.EnsureSearchAttributes(t.Context(), serve(t, tt.f), "shop")
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if len(tt.f.added) != tt.added {
				t.Errorf("added %v, want %d", slices.Sorted(maps.Keys(tt.f.added)), tt.added)
			}
		})
	}
}
