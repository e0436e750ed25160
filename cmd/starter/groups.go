package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// groups are the commands as --help lists them, in the order in which somebody meets them.
var groups = []struct {
	title    string
	commands []string
}{
	{"Try it on local files, without Temporal:", []string{"init", "contract", "validate", "predict", "show", "train", "evaluate", "compare", "drift"}},
	{"Score batches:", []string{"register", "plan", "score", "quarantine", "schedule", "backfill", "restore", "retry", "skip"}},
	{"Judge, train and release models:", []string{"judge", "retrain", "gate", "release", "approve", "reject", "hold", "resume", "rollback", "waive", "diff"}},
	{"Look, and prove it:", []string{"status", "why", "log", "verify", "report", "site", "views"}},
	{"Operate:", []string{"alert", "workers"}},
}

// group puts the commands of root under the titles of their groups.
func group(root *cobra.Command) {
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, c := range root.Commands() {
			if slices.Contains(g.commands, c.Name()) {
				c.GroupID = g.title
			}
		}
	}
}
