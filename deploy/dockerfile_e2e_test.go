//go:build e2e && linux

package deploy

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// There is no container engine here: the steps of the build stage are run by hand in a
// directory that stands for the stage, and what the image would have is looked at.
func TestTheStepsOfTheDockerfile(t *testing.T) {
	build, image := stages(t)
	dir := byHand(t, build)
	programs := 0
	for _, command := range image.Commands {
		c, ok := command.(*instructions.CopyCommand)
		if !ok {
			continue
		}
		for _, source := range c.SourcePaths {
			inside, ok := strings.CutPrefix(source, workdir(t, build)+"/")
			if !ok {
				continue // of the base image
			}
			if c.DestPath == "/bin/" {
				programs += checkPrograms(t, filepath.Join(dir, inside))
			}
			if c.DestPath == "/sbom/" {
				checkBills(t, filepath.Join(dir, inside))
			}
		}
	}
	if programs != 2 {
		t.Errorf("%d programs, want worker and starter", programs)
	}
}

func workdir(t *testing.T, s instructions.Stage) string {
	t.Helper()
	for _, command := range s.Commands {
		if c, ok := command.(*instructions.WorkdirCommand); ok {
			return path.Clean(c.Path)
		}
	}
	t.Fatal("no WORKDIR")
	return ""
}

// byHand runs a stage's COPY and RUN steps in a directory that stands for its WORKDIR.
func byHand(t *testing.T, s instructions.Stage) string {
	t.Helper()
	dir := t.TempDir()
	for _, command := range s.Commands {
		switch c := command.(type) {
		case *instructions.CopyCommand:
			for _, source := range c.SourcePaths {
				copySources(t, source, filepath.Join(dir, c.DestPath))
			}
		case *instructions.RunCommand:
			line := strings.Join(c.CmdLine, " ")
			sh := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
			sh.Dir = dir
			if out, err := sh.CombinedOutput(); err != nil {
				t.Fatalf("RUN %s: %v\n%s", line, err, out)
			}
		case *instructions.WorkdirCommand, *instructions.ArgCommand:
		default:
			t.Fatalf("a step that cannot be run by hand: %s", c)
		}
	}
	return dir
}

// copySources copies files of the project that git knows, or is about to.
func copySources(t *testing.T, source, to string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard", "--", source)
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files %s: %v", source, err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSuffix(name, "\n")
		info, err := os.Stat(filepath.Join("..", name))
		if err != nil || !info.Mode().IsRegular() || strings.HasPrefix(name, "cmd/dev/") {
			continue // deleted and not committed, a link of a developer, or ignored by .dockerignore
		}
		data, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

// checkPrograms checks that programs need nothing of an image: they are static, know
// time zones, and answer --help without any right. It returns how many there are.
func checkPrograms(t *testing.T, dir string) int {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name())
		program, err := elf.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		libraries, err := program.ImportedLibraries()
		for _, p := range program.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC || err != nil || len(libraries) > 0 {
				t.Errorf("%s is linked dynamically (%v %v)", f.Name(), libraries, err)
			}
		}
		program.Close()
		checkBuild(t, name)
		help := exec.CommandContext(t.Context(), name, "--help")
		help.Env, help.Dir = []string{}, "/"
		help.SysProcAttr = &syscall.SysProcAttr{}
		if os.Getuid() == 0 {
			open(t, dir)
			help.SysProcAttr.Credential = &syscall.Credential{Uid: 65532, Gid: 65532}
		}
		if out, err := help.CombinedOutput(); err != nil || !strings.Contains(string(out), "Usage:") {
			t.Errorf("%s --help: %v\n%s", f.Name(), err, out)
		}
	}
	return len(files)
}

// checkBuild checks how a program was built.
func checkBuild(t *testing.T, name string) {
	t.Helper()
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"CGO_ENABLED": "0", "-trimpath": "true", "-tags": "timetzdata"}
	for _, s := range info.Settings {
		if v, ok := want[s.Key]; ok && v == s.Value {
			delete(want, s.Key)
		}
	}
	if len(want) > 0 {
		t.Errorf("%s was not built with %v", filepath.Base(name), want)
	}
}

// open lets everybody reach a directory of a test that runs as root.
func open(t *testing.T, dir string) {
	t.Helper()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// checkBills parses the bills of material.
func checkBills(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.cdx.json"))
	if err != nil || len(files) != 2 {
		t.Fatalf("bills of material: %v, %v", files, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var bill cyclonedx.BOM
		err = cyclonedx.NewBOMDecoder(f, cyclonedx.BOMFileFormatJSON).Decode(&bill)
		f.Close()
		if err != nil || bill.Components == nil || len(*bill.Components) < 20 {
			t.Fatalf("%s: %v", name, err)
		}
		found := false
		for _, c := range *bill.Components {
			found = found || c.Name == "go.temporal.io/sdk" && c.Version != ""
		}
		if !found {
			t.Errorf("%s does not name Temporal's SDK", filepath.Base(name))
		}
	}
}
