//go:build e2e

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headgate/internal/registry"
	"headgate/internal/store"
	"headgate/workflows"
)

// Whatever an operator says to a release can be said with starter, signed by ssh-keygen.
func TestReleaseFromStarter(t *testing.T) {
	key := newKey(t, "ann")
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf(`%[1]s  approve: { steps: [10%%], signed: true, people: [{ name: ann, roles: [owner], key: %[2]q }] }
training: { parameters: { num_leaves: 7, num_iterations: 20, min_data_in_leaf: 20 }, windows: [1] }
`, shortWay, strings.Join(strings.Fields(string(public))[:2], " "))
	withReleases(t, settings, func(r *releaseSite) {
		c := &console{releaseSite: r, program: buildStarter(t), key: key, champion: r.champion()}
		c.first, c.second = r.register(r.pipeline(), 0, false), r.register(r.pipeline(), 0.01, false)
		c.started()
		c.approved()
		c.takenBack()
		c.rejected()
		c.looked()
		c.scoredAgain()
		c.trained()
		c.must("everything is as it was recorded", "verify", "retailer", "--all-batches")
	})
}

// A console is where an operator sits.
type console struct {
	*releaseSite
	program, key            string
	champion, first, second store.Digest
}

// started asks for a release, which then waits for ann.
func (c *console) started() {
	c.must("shadow", "release", "plan", "retailer", "--learned", "2023-12")
	c.refused(1, "no release of retailer is under way", "approve", "retailer", "--release", "--reason", "early")
	c.must("is a candidate: release ", "release", "start", "retailer", "--model", digits(c.first), "--batch", "2023-12", "--reason", "the champion says too much", "--by", "eve")
	c.asks("10%", c.first)
	c.must("may "+digits(c.first)+" enter step 10%?", "release", "status", "retailer")
}

// approved holds the release, resumes it, and approves it in the end.
func (c *console) approved() {
	c.must("hold by ann is registry entry", "hold", "retailer", "--reason", "the sale", "--by", "ann")
	c.must("held       ann: the sale", "release", "status", "retailer")
	c.refused(1, "asks nothing: it waits for resume", "approve", "retailer", "--release", "--reason", "r")
	c.must("resume by ann is registry entry", "resume", "retailer", "--reason", "the sale is over", "--by", "ann")
	c.asks("10%", c.first)
	c.refused(1, "the answer of ann is not signed", "approve", "retailer", "--release", "--reason", "better", "--by", "ann")
	c.refused(1, "does not fit ann", "approve", "retailer", "--release", "--reason", "better", "--by", "ann", "--key", newKey(c.t, "mallory"))
	c.refused(1, "eve is not among the people who may answer", "approve", "retailer", "--release", "--reason", "better", "--by", "eve", "--key", c.key)
	c.must("approved by ann: step 10%", "approve", "retailer", "--release", "--role", "owner", "--reason", "better", "--by", "ann", "--key", c.key)
	c.until("routing of step 10%", func(e registry.Entry) bool { return e.Kind == registry.KindRouting && e.Step == "10%" })
	out := c.must("10% of the entities by "+digits(c.first), "release", "status", "retailer")
	if want := "10%: approve by ann (signed): better"; !strings.Contains(out, want) {
		c.t.Errorf("no %q in\n%s", want, out)
	}
}

// takenBack lets the candidate become the champion, waits until the release is over and
// nothing runs any more, and brings the champion before back, also for a batch.
func (c *console) takenBack() {
	c.month("2024-02")
	c.month("2024-03")
	c.until("promotion", func(e registry.Entry) bool { return e.Kind == registry.KindPromote && e.Model == c.first })
	c.must("champion  "+string(c.first), "status", "retailer")
	c.month("2024-04")
	c.card("end of the release", func(card workflows.ReleaseCard) bool { return card.Stage == "Done" && card.Outcome == "released" })
	before := c.until("first promotion", func(e registry.Entry) bool { return e.Kind == registry.KindPromote && e.Model == c.champion })
	c.refused(1, "refused: ", "rollback", "retailer", "--to", "1", "--reason", "r", "--by", "ann")
	c.must("rollback to "+digits(c.champion), "rollback", "retailer", "--to", fmt.Sprint(before.Seq), "--batch", "2024-03", "--reason", "odd scores", "--by", "ann")
	c.until("rejection", func(e registry.Entry) bool { return e.Kind == registry.KindRejected && e.Model == c.first })
	eventually(c.releaseSite, "publication of March from the champion", func() (bool, bool) {
		return true, slices.Equal(c.served("2024-03"), []store.Digest{c.champion})
	})
	c.must("champion  "+string(c.champion), "status", "retailer")
}

// rejected rejects another candidate.
func (c *console) rejected() {
	c.must("is a candidate: release ", "release", "start", "retailer", "--model", digits(c.second), "--batch", "2023-12", "--reason", "again", "--by", "eve")
	c.asks("10%", c.second)
	c.refused(1, "the answer of ann is not signed", "reject", "retailer", "--release", "--reason", "worse", "--by", "ann")
	c.must("rejected by ann: step", "reject", "retailer", "--release", "--reason", "it knows too much", "--by", "ann", "--key", c.key)
	c.until("rejection of the second", func(e registry.Entry) bool { return e.Kind == registry.KindRejected && e.Model == c.second })
}

// looked reads the past: the gate, labels that were revised, two versions.
func (c *console) looked() {
	c.must("as good as the champion", "gate", "simulate", "retailer", "--samples", "20")
	c.must("evaluation ", "judge", "retailer", "--batch", "2024-02", "--wait")
	n := len(c.entries())
	labels := filepath.Join(c.root(), "labels", "retailer", "2024-02")
	text, err := os.ReadFile(filepath.Join(labels, "labels.parquet"))
	if err = errors.Join(err, os.WriteFile(filepath.Join(labels, "labels2.parquet"), text, 0o666)); err != nil {
		c.t.Fatal(err)
	}
	c.must("evaluation ", "judge", "retailer", "--batch", "2024-02", "--wait")
	if now := c.entries(); len(now) <= n || now[n].Kind != registry.KindEvaluated || now[n].Batch != "2024-02" {
		c.t.Errorf("revised labels made no evaluation: %s", c.told())
	}
	c.must("calibration", "diff", "retailer", digits(c.champion), digits(c.first))
}

// scoredAgain scores a past month again: by its own model nothing changes.
func (c *console) scoredAgain() {
	c.must("it is published as publication 1", "backfill", "retailer", "--from", "2024-02", "--to", "2024-02", "--as-now", "--reason", "to see")
	c.must("2024-01", "backfill", "retailer", "--from", "2024-01", "--to", "2024-01", "--as-was", "--replace", "--reason", "to see")
}

// trained trains again; what comes of it asks to be released.
func (c *console) trained() {
	c.must("candidate ", "retrain", "retailer", "--kind", "recalibrate", "--reason", "it says too much", "--wait")
	c.card("release of what was trained", func(card workflows.ReleaseCard) bool { return card.Open && len(card.Candidates) > 0 })
}

// must runs starter, which must succeed and say something.
func (c *console) must(say string, args ...string) string {
	c.t.Helper()
	code, out := c.run(args...)
	if code != 0 || !strings.Contains(out, say) {
		c.t.Fatalf("starter %s: exit code %d, and not %q:\n%s", strings.Join(args, " "), code, say, out)
	}
	c.t.Logf("starter %s\n%s", strings.Join(args, " "), out)
	return out
}

// refused runs starter, which must fail and say why.
func (c *console) refused(want int, say string, args ...string) {
	c.t.Helper()
	code, out := c.run(args...)
	if code != want || !strings.Contains(out, say) {
		c.t.Errorf("starter %s: exit code %d, want %d and %q:\n%s", strings.Join(args, " "), code, want, say, out)
	}
}

func (c *console) run(args ...string) (int, string) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), c.program, args...)
	cmd.Env = append(os.Environ(), "HEADGATE_STORE="+c.store, "TEMPORAL_ADDRESS="+c.server.Address(), "USER=ann")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// digits are the first ones of a digest.
func digits(d store.Digest) string { return strings.TrimPrefix(string(d), "sha256:")[:16] }

// buildStarter builds the command.
func buildStarter(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "starter")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/starter")
	cmd.Dir = home()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// newKey makes an ssh key without a password and returns its file.
func newKey(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("no key: %v: %s; install Debian's package openssh-client", err, out)
	}
	return file
}
