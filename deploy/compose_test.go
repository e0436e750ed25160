package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// project loads compose.yaml as docker compose does: schema, interpolation, references.
// Every variable that example.env has is set.
func project(t *testing.T) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"compose.yaml"}, cli.WithEnv(environment(t)), cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Services) == 0 {
		t.Fatal("no services")
	}
	return p
}

var variable = regexp.MustCompile(`(?m)^([A-Z0-9_]+)=(.*)$`)

// environment is example.env with a password for each empty value.
func environment(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("compose/example.env")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, v := range variable.FindAllStringSubmatch(string(text), -1) {
		if v[2] == "" {
			v[2] = "secret"
		}
		all = append(all, v[1]+"="+v[2])
	}
	return all
}

func TestComposeLoads(t *testing.T) {
	p := project(t)
	for _, want := range []string{"postgresql", "temporal", "temporal-ui", "s3", "worker", "starter", "prometheus", "grafana"} {
		if _, ok := p.Services[want]; !ok {
			t.Errorf("no service %s", want)
		}
	}
}

func TestComposeRefusesToStartWithoutPasswords(t *testing.T) {
	for i, secret := range []string{"POSTGRES_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY"} {
		var rest []string
		for _, v := range environment(t) {
			if !strings.HasPrefix(v, secret+"=") {
				rest = append(rest, v)
			}
		}
		options, err := cli.NewProjectOptions([]string{"compose.yaml"}, cli.WithEnv(rest))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := options.LoadProject(t.Context()); err == nil || !strings.Contains(err.Error(), "set it in deploy/.env") {
			t.Errorf("%d: without %s: %v", i, secret, err)
		}
	}
}

func TestComposeServices(t *testing.T) {
	p := project(t)
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		s := p.Services[name]
		t.Run(name, func(t *testing.T) {
			checkImage(t, s.Image)
			for _, port := range s.Ports {
				if port.HostIP != "127.0.0.1" {
					t.Errorf("port %s is published on %q, want the loopback interface", port.Published, port.HostIP)
				}
			}
			for _, v := range s.Volumes {
				checkMount(t, p, v)
			}
			for secret := range s.Secrets {
				if _, ok := p.Secrets[s.Secrets[secret].Source]; !ok {
					t.Errorf("no secret %s", s.Secrets[secret].Source)
				}
			}
			if s.Restart == "unless-stopped" && s.Logging == nil {
				t.Error("its log may fill the disk")
			}
			for other, on := range s.DependsOn {
				if on.Condition == types.ServiceConditionHealthy && (p.Services[other].HealthCheck == nil) {
					t.Errorf("waits for %s to be healthy, which nobody checks", other)
				}
			}
		})
	}
}

// checkImage wants an image named by a version.
func checkImage(t *testing.T, image string) {
	t.Helper()
	_, tag, ok := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	if !ok || tag == "" || tag == "latest" {
		t.Errorf("image %q has no version", image)
	}
}

// checkMount wants a file that exists and is mounted to be read, or a volume.
func checkMount(t *testing.T, p *types.Project, v types.ServiceVolumeConfig) {
	t.Helper()
	if v.Type == types.VolumeTypeVolume {
		if _, ok := p.Volumes[v.Source]; !ok {
			t.Errorf("no volume %s", v.Source)
		}
		return
	}
	if _, err := os.Stat(v.Source); err != nil {
		t.Error(err)
	}
	if rel, err := filepath.Rel(p.WorkingDir, v.Source); err != nil || strings.HasPrefix(rel, "..") {
		t.Errorf("%s lies outside of %s", v.Source, p.WorkingDir)
	}
	if !v.ReadOnly {
		t.Errorf("%s may be written to", v.Source)
	}
}

func TestComposeWorkerIsRestrictedAndStopsInPeace(t *testing.T) {
	p := project(t)
	for _, name := range []string{"worker", "starter"} {
		if s := p.Services[name]; !s.ReadOnly || s.User != "65532:65532" || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: read only %v, user %q, without %v", name, s.ReadOnly, s.User, s.CapDrop)
		}
	}
	w := p.Services["worker"]
	drain, err := time.ParseDuration(*w.Environment["HEADGATE_DRAIN"])
	if err != nil {
		t.Fatal(err)
	}
	if w.StopGracePeriod == nil || time.Duration(*w.StopGracePeriod) <= drain {
		t.Errorf("it is killed after %v and hands over for %v", w.StopGracePeriod, drain)
	}
	if w.HealthCheck == nil || !slices.Equal(w.HealthCheck.Test, []string{"CMD", "/bin/worker", "health"}) {
		t.Errorf("health check %+v", w.HealthCheck)
	}
	if got := filepath.Clean(w.Build.Dockerfile); got != "deploy/Dockerfile" {
		t.Errorf("built from %s", got)
	}
}
