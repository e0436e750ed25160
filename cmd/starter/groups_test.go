package main

import "testing"

// A command that is in no group is listed last, among what nobody looks for.
func TestEveryCommandIsInAGroup(t *testing.T) {
	listed := map[string]bool{"help": true, "completion": true}
	for _, g := range groups {
		for _, name := range g.commands {
			listed[name] = true
		}
	}
	for _, c := range newRootCommand(&env{getenv: func(string) string { return "" }}).Commands() {
		if !listed[c.Name()] {
			t.Errorf("%s is in no group", c.Name())
		}
		delete(listed, c.Name())
	}
	for name := range listed {
		t.Errorf("%s is in a group, and is no command", name)
	}
}
