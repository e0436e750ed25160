package deploy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages parses the Dockerfile and returns its stages: the one that builds and the image.
func stages(t *testing.T) (build, image instructions.Stage) {
	t.Helper()
	f, err := os.Open("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	parsed, err := parser.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parsed.Warnings {
		t.Errorf("%s: %v", w.Short, w.Detail)
	}
	complain := func(rule, _, _, message string, _ []parser.Range) { t.Errorf("%s: %s", rule, message) }
	all, _, err := instructions.Parse(parsed.AST, linter.New(&linter.Config{Warn: complain}))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 {
		t.Fatalf("%d stages, want 2", len(all))
	}
	return all[0], all[1]
}

func TestImage(t *testing.T) {
	build, image := stages(t)
	checkImage(t, build.BaseName)
	if image.BaseName != "scratch" {
		t.Errorf("the image is based on %s", image.BaseName)
	}
	var user, health, entrypoint string
	for _, command := range image.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.HealthCheckCommand:
			health = strings.Join(c.Health.Test, " ")
		case *instructions.EntrypointCommand:
			entrypoint = strings.Join(c.CmdLine, " ")
		case *instructions.RunCommand:
			t.Errorf("nothing can run in an empty image: %s", c)
		}
	}
	if user != "65532:65532" || health != "CMD /bin/worker health" || entrypoint != "/bin/worker" {
		t.Errorf("user %q, health %q, entrypoint %q", user, health, entrypoint)
	}
}

// What the image must not hold is not even sent to be built.
func TestDockerIgnore(t *testing.T) {
	text, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, want := range []string{".git", "**/.env", ".headgate"} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s in .dockerignore", want)
		}
	}
}
