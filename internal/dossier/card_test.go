package dossier_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"headgate/internal/dossier"
	"headgate/internal/evidence"
	"headgate/internal/figure"
	"headgate/internal/registry"
	"headgate/internal/store"
)

func TestCardOfTheChampion(t *testing.T) {
	s := newMonths(t)
	s.evaluated("2024-01", registry.VerdictPass, 0.74)
	s.evaluated("2024-02", registry.VerdictInconclusive, 0.7)
	c, err := s.open().Card(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Model.Digest != string(s.champion()) || c.Status != "champion" || c.Use.Owner != "demo" || c.Use.Entity != "customer_id" || c.Bundle.Kind != "lightgbm" || c.Bundle.GoldenRows != 40 || c.Bundle.Entry != 2 {
		t.Errorf("%+v %+v", c.Use, c.Bundle)
	}
	for i := 1; i < len(c.Inputs); i++ {
		if c.Inputs[i].Importance > c.Inputs[i-1].Importance {
			t.Errorf("input %s stands before %s, which counts more", c.Inputs[i-1].Name, c.Inputs[i].Name)
		}
	}
	if m := c.Months; len(m) != 2 || m[0].Value.Value != 0.74 || !m[0].Evidence || m[1].Evidence || m[0].Role != evidence.RoleChampion {
		t.Errorf("months %+v", m)
	}
	if d := c.Drift; len(d) != 2 || d[0].Batch != "2024-01" || d[0].Level == "" {
		t.Errorf("drift %+v", d)
	}
	if v := c.Served; len(v) != 2 || v[0].Rows != 1000 || v[0].Of != 1000 || v[1].Rows >= 1000 || !store.Digest(v[0].Commit).Valid() {
		t.Errorf("served %+v", v)
	}

	// Somebody has deleted an evaluation.
	paper := s.log().Of(registry.KindEvaluated)[0].Paper
	if err := s.b.Delete(t.Context(), store.BlobKey(paper)); err != nil {
		t.Fatal(err)
	}
	if c, err = s.open().Card(t.Context(), ""); err != nil || len(c.Months) != 1 || fmt.Sprint(c.Notes) != "[the evaluation of 2024-01 is gone]" {
		t.Errorf("without an evaluation: %v, notes %q", err, c.Notes)
	}
}

func TestACardIsNamedByItsDigits(t *testing.T) {
	s := newMonths(t)
	digits := strings.TrimPrefix(string(s.champion()), "sha256:")
	for _, name := range []string{digits[:8], digits, "sha256:" + digits} {
		if c, err := s.open().Card(t.Context(), name); err != nil || c.Model.Digest != "sha256:"+digits {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{digits[:7], "ffffffff"} {
		if _, err := s.open().Card(t.Context(), name); !errors.Is(err, dossier.ErrUnknown) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The bundle of the shipped champion stands for every version here: what the card says of
// its standing is in the registry alone.
func TestStatusOfAModelVersion(t *testing.T) {
	other := store.DigestOf([]byte("other"))
	for _, tt := range []struct {
		name        string
		entries     func(m store.Digest) []registry.Entry
		status, why string
		events      int // beside registration and first promotion
	}{
		{"nothing has happened to it", func(store.Digest) []registry.Entry { return nil }, "champion", "the first one", 0},
		{"another model came", func(store.Digest) []registry.Entry {
			return []registry.Entry{{Kind: registry.KindRegister, Model: other}, {Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: other, Decision: store.DigestOf(nil), Reason: "it is better"}}
		}, "former champion", "replaced by " + figure.Short(other), 1},
		{"it asks to come back", func(m store.Digest) []registry.Entry {
			return []registry.Entry{{Kind: registry.KindRegister, Model: other}, {Kind: registry.KindPromote, Alias: registry.AliasChampion, Model: other, Decision: store.DigestOf(nil)},
				{Kind: registry.KindCandidate, Model: m, Release: hand}}
		}, "candidate", "release " + hand, 2},
		{"it was rejected", func(m store.Digest) []registry.Entry {
			return []registry.Entry{{Kind: registry.KindRejected, Model: m, Reason: "odd scores"}}
		}, "rejected", "odd scores", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newMonths(t)
			m := s.champion()
			s.append(tt.entries(m)...)
			c, err := s.open().Card(t.Context(), short(m))
			if err != nil {
				t.Fatal(err)
			}
			if c.Status != tt.status || c.Why != tt.why || len(c.Events) != 2+tt.events {
				t.Errorf("it is %q because %q, want %q because %q; events %+v", c.Status, c.Why, tt.status, tt.why, c.Events)
			}
		})
	}
}
