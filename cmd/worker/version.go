package main

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// version settles the build id of a worker that joins a deployment, and says what is
// wrong. Without a deployment there is none: an image names its build in any case.
func (c *Config) version() (problems []string) {
	if c.Deployment == "" {
		c.BuildID = ""
		return nil
	}
	if strings.Contains(c.Deployment, ".") {
		problems = append(problems, fmt.Sprintf("HEADGATE_DEPLOYMENT=%q: want a name without a dot", c.Deployment))
	}
	if c.BuildID == "" {
		c.BuildID = commit(debug.ReadBuildInfo())
	}
	if c.BuildID == "" {
		problems = append(problems, fmt.Sprintf("HEADGATE_DEPLOYMENT=%q, but this program was not built from a commit: name its version in HEADGATE_BUILD_ID", c.Deployment))
	}
	return problems
}

// commit is what a program was built from: the first 12 digits of the commit. It is
// empty where the build does not know, or where files differed from the commit: two
// such builds may be different programs.
func commit(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.modified"] != "false" {
		return ""
	}
	return settings["vcs.revision"][:min(12, len(settings["vcs.revision"]))]
}
