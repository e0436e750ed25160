package activities

import (
	"testing"

	"headgate/internal/registry"
	"headgate/internal/store"
)

func TestAReleaseIsNamedAfterWhatItIsOf(t *testing.T) {
	const a, b = "sha256:aaaaaaaaaaaaaaaa", "sha256:bbbbbbbbbbbbbbbb"
	for _, tt := range []struct {
		name          string
		known         []string // releases
		batch, origin string
		models        []store.Digest
		want          string
	}{
		{"one candidate", nil, "2024-05", "recalibrate", []store.Digest{a}, "2024-05-recalibrate-aaaaaaaa"},
		{"several candidates", nil, "2024-05", "refit", []store.Digest{a, b}, "2024-05-refit-d4bdd766"},
		{"the same ones again", []string{"2024-05-refit-d4bdd766"}, "2024-05", "refit", []store.Digest{a, b}, "2024-05-refit-d4bdd766-2"},
		{"started by hand", []string{"2024-05-refit-d4bdd766"}, "2024-05", "start", []store.Digest{b}, "2024-05-start-bbbbbbbb"},
		{"nobody knows what it learned from", nil, "", "start", []store.Digest{b}, "start-bbbbbbbb"},
		{"for the third time", []string{"start-bbbbbbbb", "start-bbbbbbbb-2"}, "", "start", []store.Digest{b}, "start-bbbbbbbb-3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var known []registry.Entry
			for _, name := range tt.known {
				known = append(known, registry.Entry{Release: name})
			}
			if got := nameRelease(known, tt.batch, tt.origin, tt.models...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
