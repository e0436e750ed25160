package activities

import (
	"testing"

	"headgate/internal/registry"
	"headgate/internal/release"
)

func TestWhoMayAnswer(t *testing.T) {
	ann, bob := release.Person{Name: "ann", Roles: []string{"owner"}}, release.Person{Name: "bob"}
	for _, tt := range []struct {
		name string
		set  release.Settings
		want string
	}{
		{"nobody is named", release.Settings{}, "Anybody"},
		{"all who are named", release.Settings{People: []release.Person{ann, bob}}, "ann or bob"},
		{"those with the role", release.Settings{People: []release.Person{ann, bob}, Role: "owner"}, "ann as owner"},
		{"nobody has the role", release.Settings{People: []release.Person{bob}, Role: "owner"}, "Nobody as owner"},
		{"nobody has a key", release.Settings{Signed: true}, "Nobody"},
		{"four eyes", release.Settings{FourEyes: true}, "Anybody (two of them, and not who asked for the release)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := whoMay(tt.set); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheTrailSaysWhatCounts(t *testing.T) {
	rel := &release.Release{Name: "r"}
	for _, tt := range []struct {
		name  string
		entry registry.Entry
		want  string
	}{
		{"in what a candidate is better", registry.Entry{Kind: registry.KindAdvance, Step: "shadow", Model: "sha256:0", Verdict: "pass",
			Reasons: []string{"later: all batches are later", "superior: better in auc"}}, "shadow: pass for 0: superior: better in auc"},
		{"what blocks it", registry.Entry{Kind: registry.KindAdvance, Step: "shadow", Model: "sha256:0", Verdict: "block",
			Reasons: []string{"later: it is not", "superior: worse in auc"}}, "shadow: block for 0: later: it is not"},
		{"a claimed answer", registry.Entry{Kind: registry.KindApproval, Step: "10%", Answer: "approve", By: "ann", Reason: "good"}, "10%: approve by ann (claimed): good"},
		{"a signed answer", registry.Entry{Kind: registry.KindApproval, Step: "10%", Answer: "approve", By: "ann", Reason: "good",
			Reasons: []string{signedAnswer}}, "10%: approve by ann (signed): good"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.entry.Release = "r"
			if got := trailText(tt.entry, rel); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
