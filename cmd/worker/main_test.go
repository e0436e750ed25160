package main

import (
	"bytes"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// environment looks settings up in a map.
func environment(set map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := set[name]
		return value, ok
	}
}

func TestParseConfig(t *testing.T) {
	byDefault := Config{Store: "/scores", TaskQueue: "headgate", Parallel: 4, Drain: 10 * time.Second,
		Health: "127.0.0.1:8090", Log: zerolog.InfoLevel}
	versioned := byDefault
	versioned.Deployment, versioned.BuildID = "headgate", "v7"
	for _, test := range []struct {
		name string
		set  map[string]string
		want Config
	}{
		{name: "a store is enough", set: map[string]string{"HEADGATE_STORE": "/scores"}, want: byDefault},
		{name: "everything is set, and an empty health address is none", set: map[string]string{
			"HEADGATE_STORE": "s3://scores", "HEADGATE_TASK_QUEUE": "night", "HEADGATE_PARALLEL": "9",
			"HEADGATE_DRAIN": "1m30s", "HEADGATE_HEALTH": "", "HEADGATE_LOG": "debug"},
			want: Config{Store: "s3://scores", TaskQueue: "night", Parallel: 9, Drain: 90 * time.Second, Log: zerolog.DebugLevel}},
		{name: "a version of a deployment", set: map[string]string{"HEADGATE_STORE": "/scores", "HEADGATE_DEPLOYMENT": "headgate", "HEADGATE_BUILD_ID": "v7"},
			want: versioned},
		{name: "without a deployment there is no version", set: map[string]string{"HEADGATE_STORE": "/scores", "HEADGATE_BUILD_ID": "v7"}, want: byDefault},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseConfig(environment(test.set))
			if err != nil || got != test.want {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestParseConfigNamesEveryBadValueAtOnce(t *testing.T) {
	_, err := parseConfig(environment(map[string]string{"HEADGATE_TASK_QUEUE": "", "HEADGATE_PARALLEL": "0",
		"HEADGATE_DRAIN": "5", "HEADGATE_HEALTH": "8090", "HEADGATE_LOG": "loud", "HEADGATE_DEPLOYMENT": "v1.2"}))
	want := strings.Join([]string{
		`HEADGATE_PARALLEL="0": want a whole number, at least 1`,
		`HEADGATE_DRAIN="5": want a duration above zero, as in 10s`,
		`HEADGATE_LOG="loud": want debug, info, warn or error`,
		`HEADGATE_STORE is not set: name a directory or a store URL, for example s3://scores?region=eu-central-1`,
		`HEADGATE_TASK_QUEUE is empty: want a name`,
		`HEADGATE_HEALTH="8090": want host:port, as in 127.0.0.1:8090`,
		`HEADGATE_DEPLOYMENT="v1.2": want a name without a dot`,
		`HEADGATE_DEPLOYMENT="v1.2", but this program was not built from a commit: name its version in HEADGATE_BUILD_ID`,
	}, "; ")
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// command runs the program and returns its exit code and output.
func command(t *testing.T, set map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), args, environment(set), &out, &log)
	return code, out.String(), log.String()
}

func TestHelpListsEverySetting(t *testing.T) {
	code, help, stderr := command(t, nil, "--help")
	if code != 0 || stderr != "" {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	for _, s := range settingsOf(t) {
		line := regexp.MustCompile(`(?m)^  ` + s.name + ` .*$`).FindString(help)
		if !strings.Contains(line, s.help) || s.byDefault != "" && !strings.Contains(line, "(default "+s.byDefault+")") {
			t.Errorf("--help says %q of %s", line, s.name)
		}
	}
}

func TestWrongInvocations(t *testing.T) {
	for _, test := range []struct {
		name string
		set  map[string]string
		args []string
		want string
	}{
		{name: "an argument", args: []string{"--store"}, want: `worker: unknown argument "--store"; settings come from the environment, see worker --help`},
		{name: "no store", want: "worker: HEADGATE_STORE is not set"},
		{name: "a level that is none", set: map[string]string{"HEADGATE_STORE": "x", "HEADGATE_LOG": "fatal"}, want: "want debug, info, warn or error; see worker --help"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := command(t, test.set, test.args...)
			if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "worker: ") || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit %d, stdout %q, stderr %q; want 2 and %q", code, stdout, stderr, test.want)
			}
		})
	}
}

func TestTemporalThatDoesNotAnswerEndsTheWorkerWithASentence(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	code, _, stderr := command(t, map[string]string{"HEADGATE_STORE": t.TempDir(), "HEADGATE_HEALTH": ""})
	if code != 1 || !strings.Contains(stderr, `worker failed: temporal does not answer at 127.0.0.1:1; set TEMPORAL_ADDRESS`) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestAProfileThatIsNotThereIsAWrongSetting(t *testing.T) {
	t.Setenv("TEMPORAL_PROFILE", "nowhere")
	code, _, stderr := command(t, map[string]string{"HEADGATE_STORE": t.TempDir()})
	if code != 2 || !strings.Contains(stderr, "worker: settings of Temporal: ") || !strings.Contains(stderr, "nowhere") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// A setting is one variable as the tags of Config have it.
type setting struct{ name, byDefault, help string }

func settingsOf(t *testing.T) []setting {
	t.Helper()
	var all []setting
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		s := setting{f.Tag.Get("env"), f.Tag.Get("default"), f.Tag.Get("help")}
		if s.name == "" || s.help == "" {
			t.Errorf("%s has no variable or no help", f.Name)
		}
		all = append(all, s)
	}
	return all
}

// The README has a row for each variable: its name, its default, its meaning.
func TestReadmeHasTheSettings(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []setting
	for _, row := range regexp.MustCompile("(?m)^\\| `(HEADGATE_[A-Z_]+)` \\| (.*?) \\| (.*) \\|$").FindAllStringSubmatch(string(readme), -1) {
		got = append(got, setting{row[1], strings.TrimPrefix(strings.Trim(row[2], "`"), "–"), strings.ReplaceAll(row[3], "`", "")})
	}
	want := settingsOf(t)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("README.md has\n%q\nand Config\n%q", got, want)
	}
}
