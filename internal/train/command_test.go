package train_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/train"
)

// program is the name under which this test plays a trainer: what it does wrong.
const program = "HEADGATE_TEST_TRAINER"

func TestMain(m *testing.M) {
	if does := os.Getenv(program); does != "" {
		os.Exit(play(does))
	}
	os.Exit(m.Run())
}

// play is a trainer: a program that keeps the protocol of [train.Command], but for what
// it is told to do wrong.
func play(does string) int {
	answer := train.Answer{Format: "lightgbm", Model: "model.txt", Libraries: map[string]string{"play": "1.0"}, Notes: []string{"the key is " + os.Getenv("KEY")}}
	switch does {
	case "status":
		fmt.Fprintf(os.Stderr, "a first line\nno more memory, with the key %s\n", os.Getenv("KEY"))
		return 3
	case "loud":
		fmt.Fprint(os.Stderr, strings.Repeat("0123456789", 100_000), os.Getenv("KEY"), "the end\n")
		return 4
	case "sleep":
		// A child that outlives its parent, unless somebody kills both.
		child := exec.Command(os.Args[0])
		child.Env = []string{program + "=child", "DIR=" + os.Getenv("DIR")}
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			return 9
		}
		time.Sleep(time.Hour)
	case "child":
		os.WriteFile(filepath.Join(os.Getenv("DIR"), "pid"), []byte(strconv.Itoa(os.Getpid())), 0o600)
		time.Sleep(time.Hour)
	case "leave":
		child := exec.Command(os.Args[0])
		child.Env = []string{program + "=child", "DIR=" + os.Getenv("DIR")}
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			return 9
		}
		for _, err := os.Stat(filepath.Join(os.Getenv("DIR"), "pid")); err != nil; _, err = os.Stat(filepath.Join(os.Getenv("DIR"), "pid")) {
			time.Sleep(time.Millisecond)
		}
	case "silent":
		return 0
	case "text":
		os.WriteFile("result.json", []byte("ok"), 0o600)
		return 0
	case "folder":
		os.Mkdir("result.json", 0o700)
		return 0
	case "large":
		os.WriteFile("result.json", nil, 0o600)
		os.Truncate("result.json", 1<<40)
		return 0
	case "outside":
		answer.Model = "../outside.txt"
	case "nowhere":
		answer.Model = "nowhere.txt"
	case "versions":
		answer.Libraries = nil
	case "format":
		answer.Format = "pickle"
	case "environment":
		answer.Notes = os.Environ()
	}
	if err := learn(does, answer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// learn trains with the built-in trainer, from the files of the protocol.
func learn(does string, answer train.Answer) error {
	text, err := os.ReadFile("manifest.json")
	if err != nil {
		return err
	}
	m, err := train.ParseManifest(text)
	if err != nil {
		return err
	}
	if does == "other" {
		m.Features = []train.Feature{{Name: "y", Kind: "numeric"}}
		m.Label, m.Task = "age", train.Regression
	}
	rows := [2]train.Rows{}
	for i, name := range []string{"train.parquet", "valid.parquet"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := columnar.Open(strings.NewReader(string(data)), int64(len(data)), nil)
		if err != nil {
			return err
		}
		answer.Notes = append(answer.Notes, name+" has "+strings.Join(columnNames(f), " "))
		rows[i] = f.Records(context.Background(), columnar.ReadOptions{})
	}
	r, err := (train.GBDT{}).Train(context.Background(), train.Job{Manifest: *m, Train: rows[0], Valid: rows[1], Formats: formats,
		Progress: func(p train.Progress) error {
			_, err := fmt.Printf("{\"round\":%d,\"rounds\":%d,\"metric\":%q,\"value\":%g}\nthis is no progress\n", p.Round, p.Rounds, p.Metric, p.Value)
			return err
		}})
	if err != nil {
		return err
	}
	answer.Rounds = r.Manifest.Results.Rounds
	if text, err = json.Marshal(answer); err != nil {
		return err
	}
	if does == "broken" {
		r.Model = r.Model[:len(r.Model)/3]
	}
	if does == "empty" {
		r.Model = nil
	}
	return errors.Join(os.WriteFile("result.json", text, 0o600), os.WriteFile("model.txt", r.Model, 0o600))
}

func columnNames(f *columnar.File) []string {
	var names []string
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name)
	}
	return names
}

// command is this test as a trainer that does something wrong.
func command(t *testing.T, does string) train.Command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return train.Command{Args: []string{self}, Env: map[string]string{program: does, "KEY": "s3cret-k3y", "DIR": t.TempDir()}, Secrets: []string{"KEY"}, Temp: t.TempDir()}
}

func TestAProgramTrains(t *testing.T) {
	want := done(t, train.GBDT{}, shopJob())
	c := command(t, "well")
	j := shopJob()
	j.Manifest.Calibrate = model.Platt
	rounds := 0
	j.Progress = func(p train.Progress) error {
		if rounds++; p.Round != rounds || p.Rounds != 20 || p.Metric != "binary_logloss" || p.Value == 0 {
			return fmt.Errorf("progress %+v after %d rounds", p, rounds-1)
		}
		return nil
	}
	r := done(t, c, j)
	got := r.Manifest.Results
	if string(r.Model) != string(want.Model) || rounds != 20 || got.Rounds != 20 || got.Trainer != "command" || got.Libraries["play"] != "1.0" || got.Calibration == nil {
		t.Errorf("after %d rounds got %+v; the model is the same: %t", rounds, got, string(r.Model) == string(want.Model))
	}
	notes := strings.Join(got.Notes, "\n")
	if !strings.Contains(notes, "the key is [redacted]") || !strings.Contains(notes, "train.parquet has age city noise y id\n") {
		t.Errorf("notes are %q", notes)
	}
	if left, err := os.ReadDir(c.Temp); err != nil || len(left) > 0 {
		t.Errorf("%d directories are left (%v)", len(left), err)
	}
}

func TestAProgramHasTheEnvironmentThatItIsGiven(t *testing.T) {
	t.Setenv("HEADGATE_TEST_SECRET", "of ours")
	r := done(t, command(t, "environment"), shopJob())
	var names []string
	for _, line := range r.Manifest.Results.Notes {
		if name, _, ok := strings.Cut(line, "="); ok {
			names = append(names, name)
		}
	}
	if !slices.Equal(names, []string{"DIR", program, "KEY"}) {
		t.Errorf("got %q", names)
	}
}

func TestWhatAProgramDoesWrongIsSaid(t *testing.T) {
	for _, tt := range []struct{ does, want string }{
		{"status", "it ended with status 3; the end of its standard error: no more memory, with the key [redacted]"},
		{"silent", "it ended with status 0 and wrote no result.json"},
		{"text", "the trainer's answer: invalid character 'o'"},
		{"folder", "result.json is no regular file"},
		{"large", "the file result.json has 1048576 MiB, and at most 16 are allowed"},
		{"versions", "no versions of libraries"},
		{"outside", "the file ../outside.txt: "},
		{"nowhere", "wrote no nowhere.txt"},
		{"empty", "the file model.txt is empty"},
		{"format", `a model of format "pickle", which this program does not read`},
		{"broken", "the model that was trained: lightgbm model, line"},
		{"other", `the model that was trained reads "y", which is no feature of the manifest`},
	} {
		t.Run(tt.does, func(t *testing.T) {
			_, err := command(t, tt.does).Train(t.Context(), shopJob())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("there is no such program", func(t *testing.T) {
		c := train.Command{Args: []string{filepath.Join(t.TempDir(), "none")}}
		if _, err := c.Train(t.Context(), shopJob()); err == nil || !strings.Contains(err.Error(), "it could not be run: ") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("there is no program", func(t *testing.T) {
		if _, err := (train.Command{}).Train(t.Context(), shopJob()); err == nil || !strings.Contains(err.Error(), "no program is named") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("leaks are found before it is started", func(t *testing.T) {
		j := shopJob()
		j.Train = shop(4000, 1).set("noise", shop(4000, 1).columns["y"]).stream()
		var leak *train.LeakError
		if _, err := command(t, "status").Train(t.Context(), j); !errors.As(err, &leak) {
			t.Errorf("got %v", err)
		}
	})
}

func TestOnlyTheEndOfALogIsKept(t *testing.T) {
	c := command(t, "loud")
	c.Log = 100
	_, err := c.Train(t.Context(), shopJob())
	var failed *train.CommandError
	if !errors.As(err, &failed) || len(failed.Log) > 100 || !strings.HasSuffix(failed.Log, "789[redacted]the end\n") {
		t.Errorf("got %v", err)
	}
}

func TestAProgramIsKilledWithItsChildren(t *testing.T) {
	for _, tt := range []struct {
		name, does string
		want       string
		end        func(c *train.Command, cancel func())
	}{
		{"when the context ends", "sleep", context.Canceled.Error(), func(c *train.Command, cancel func()) {
			go func() {
				for _, err := os.Stat(filepath.Join(c.Env["DIR"], "pid")); err != nil; _, err = os.Stat(filepath.Join(c.Env["DIR"], "pid")) {
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
		}},
		{"when it ends and they do not", "leave", "", func(*train.Command, func()) {}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := command(t, tt.does)
			tt.end(&c, cancel)
			_, err := c.Train(ctx, shopJob())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			pid, err := os.ReadFile(filepath.Join(c.Env["DIR"], "pid"))
			if err != nil {
				t.Fatal(err)
			}
			for alive(t, string(pid)) { // a killed child is there until somebody waits for it
				time.Sleep(time.Millisecond)
			}
		})
	}
}

func TestAProgramHasItsTime(t *testing.T) {
	c := command(t, "sleep")
	c.Timeout = 10 * time.Millisecond
	if _, err := c.Train(t.Context(), shopJob()); err == nil || !strings.Contains(err.Error(), "it did not end within 10ms and was killed") {
		t.Errorf("got %v", err)
	}
}

func TestProgressThatFailsEndsTheProgram(t *testing.T) {
	stop := errors.New("nobody waits any more")
	j := shopJob()
	j.Progress = func(train.Progress) error { return stop }
	if _, err := command(t, "well").Train(t.Context(), j); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"format":"lightgbm","model":"model.txt","libraries":{"lightgbm":"4.6.0"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := train.ParseAnswer(data); err == nil && (a.Format == "" || a.Model == "" || len(a.Libraries) == 0) {
			t.Errorf("got %+v of %q", a, data)
		}
	})
}

func TestRowsThatCannotBeReadEndACommand(t *testing.T) {
	j := shopJob()
	j.Valid = func(yield func(arrow.Record, error) bool) { yield(nil, io.ErrUnexpectedEOF) }
	if _, err := command(t, "well").Train(t.Context(), j); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}
