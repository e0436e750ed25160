package main

import (
	"runtime/debug"
	"testing"
)

func TestCommit(t *testing.T) {
	const revision = "0123456789abcdef0123456789abcdef01234567"
	for _, test := range []struct {
		name     string
		settings []debug.BuildSetting
		unknown  bool
		want     string
	}{
		{name: "built from a commit", settings: []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: "false"}}, want: "0123456789ab"},
		{name: "built from changed files", settings: []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: "true"}}},
		{name: "built outside of version control"},
		{name: "built in another way", unknown: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := commit(&debug.BuildInfo{Settings: test.settings}, !test.unknown); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
