package train

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
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"headgate/internal/columnar"
)

// A Command is a trainer that is a program. It is started in a new directory with
//
//	manifest.json    the manifest, without results: schemas/manifest.json
//	train.parquet    the rows to learn from, with the manifest's columns
//	valid.parquet    those that tell when to stop, if there are any
//
// and must leave there, and end with status 0,
//
//	result.json      an [Answer]
//	the model's file, which the answer names
//
// A line on its standard output like {"round":3,"rounds":100,"metric":"auc","value":0.7}
// is progress; other lines are ignored. Leak guard and calibration are ours. When its
// context or its time ends, the program is killed with its children, as far as the
// operating system knows them as such; what is left of them when it ends is killed, too.
type Command struct {
	Args    []string          // the program, and what it is called with
	Env     map[string]string // its environment, all of it
	Secrets []string          // names in Env: their values are never shown
	Timeout time.Duration     // 0 means that only the context ends it
	Log     int               // bytes of its standard error that are kept, the last; 0 means 64 KiB
	Temp    string            // where the directory is made; "" is the system's place
}

const (
	defaultLog = 64 << 10
	maxAnswer  = 16 << 20
	maxModel   = 2 << 30
)

// The names of the files in the directory.
const (
	manifestFile = "manifest.json"
	trainFile    = "train.parquet"
	validFile    = "valid.parquet"
	answerFile   = "result.json"
)

// A CommandError means that the program did not do its part.
type CommandError struct {
	Program string
	Reason  string
	Log     string // the end of its standard error, without secrets
}

func (e *CommandError) Error() string {
	text := fmt.Sprintf("trainer %s: %s", e.Program, e.Reason)
	if log := strings.TrimSpace(e.Log); log != "" {
		text += "; the end of its standard error: " + log[strings.LastIndexByte(log, '\n')+1:]
	}
	return text
}

// Train runs the program. What it did wrong is a *[CommandError].
func (c Command) Train(ctx context.Context, j Job) (*Result, error) {
	if len(c.Args) == 0 {
		return nil, errors.New("trainer: no program is named")
	}
	l, err := begin(ctx, j)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(c.Temp, "headgate-train-")
	if err != nil {
		return nil, fmt.Errorf("trainer %s: a directory for it: %w", c.Args[0], err)
	}
	defer os.RemoveAll(dir)
	if err := l.writeInputs(dir); err != nil {
		return nil, fmt.Errorf("trainer %s: its files: %w", c.Args[0], err)
	}
	log, err := c.run(ctx, dir, j.Progress)
	if err != nil {
		return nil, err
	}
	answer, data, err := c.readAnswer(dir)
	if err != nil {
		return nil, &CommandError{c.Args[0], err.Error(), log}
	}
	l.results.answer("command", answer)
	r, err := l.finish(ctx, answer.Format, data, answer.Categories)
	if err != nil {
		return nil, fmt.Errorf("trainer %s: %w", c.Args[0], err)
	}
	r.Log = log
	return r, nil
}

// writeInputs writes the files that the program reads.
func (l *learning) writeInputs(dir string) error {
	manifest, err := l.manifest.Marshal()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, manifestFile), manifest, 0o600); err != nil {
		return err
	}
	columns := l.manifest.Columns()
	if err := writeFile(filepath.Join(dir, trainFile), l.train, columns); err != nil {
		return err
	}
	if l.valid == nil {
		return nil
	}
	if err := writeFile(filepath.Join(dir, validFile), l.valid, columns); err != nil {
		return fmt.Errorf("validation part: %w", err)
	}
	return nil
}

// writeFile writes some columns of rows as a Parquet file that must not be there yet.
func writeFile(name string, rows Rows, columns []string) (err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return writeRows(file, rows, columns)
}

// writeRows writes some columns of rows as Parquet.
func writeRows(to io.Writer, rows Rows, columns []string) error {
	var w *columnar.Writer
	for rec, err := range rows {
		if err != nil {
			return err
		}
		narrow, err := project(rec, columns)
		if err != nil {
			return err
		}
		if w == nil {
			if w, err = columnar.Create(to, narrow.Schema(), nil); err != nil {
				return err
			}
		}
		err = w.Write(narrow)
		narrow.Release()
		if err != nil {
			return err
		}
	}
	if w == nil {
		return errors.New("there are no rows with a label up to as-of")
	}
	return w.Close()
}

// project returns the record with some of its columns, in their order.
func project(rec arrow.Record, columns []string) (arrow.Record, error) {
	fields, arrays := make([]arrow.Field, len(columns)), make([]arrow.Array, len(columns))
	for i, name := range columns {
		var err error
		if arrays[i], err = columnOf(rec, name); err != nil {
			return nil, err
		}
		fields[i] = rec.Schema().Field(rec.Schema().FieldIndices(name)[0])
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, rec.NumRows()), nil
}

// run runs the program and returns the end of its standard error.
func (c Command) run(ctx context.Context, dir string, watch func(Progress) error) (log string, err error) {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timedOut := errors.New("time is over")
	if c.Timeout > 0 {
		timer := time.AfterFunc(c.Timeout, func() { cancel(timedOut) })
		defer timer.Stop()
	}
	kept := &tail{limit: c.Log, secrets: c.secrets()}
	if kept.limit == 0 {
		kept.limit = defaultLog
	}
	lines := &progressLines{watch: watch, stop: cancel}
	err = c.start(limited, dir, lines, kept)
	log = kept.String()
	fail := func(format string, args ...any) error {
		return &CommandError{c.Args[0], fmt.Sprintf(format, args...), log}
	}
	var exit *exec.ExitError
	cause := context.Cause(limited)
	switch {
	case ctx.Err() != nil:
		return log, ctx.Err()
	case lines.err != nil:
		return log, lines.err
	case errors.Is(cause, timedOut):
		return log, fail("it did not end within %s and was killed", c.Timeout)
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return log, fail("it ended with status %d", exit.ExitCode())
	case err != nil:
		return log, fail("it could not be run: %v", err)
	}
	return log, nil
}

// start starts the program and waits for its end, and for that of its children.
func (c Command) start(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = dir, []string{} // not nil, which would be all of ours
	for name, value := range c.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	slices.Sort(cmd.Env)
	group(cmd)
	var pipes [2]*pipe
	for i, to := range []io.Writer{stdout, stderr} {
		p, err := newPipe(to)
		if err != nil {
			return err
		}
		defer p.end()
		pipes[i] = p
	}
	cmd.Stdout, cmd.Stderr = pipes[0].write, pipes[1].write
	if err := cmd.Start(); err != nil {
		return err
	}
	err := cmd.Wait()
	endGroup(cmd)
	for _, p := range pipes {
		p.end()
	}
	return err
}

// readAnswer reads what the program left.
func (c Command) readAnswer(dir string) (*Answer, []byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	text, err := readIn(root, answerFile, maxAnswer)
	if err != nil {
		return nil, nil, err
	}
	a, err := ParseAnswer([]byte(redact(string(text), c.secrets())))
	if err != nil {
		return nil, nil, err
	}
	data, err := readIn(root, a.Model, maxModel)
	return a, data, err
}

// readIn reads a file of the program's directory, and of no other place.
func readIn(root *os.Root, name string, limit int64) ([]byte, error) {
	info, err := root.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("it ended with status 0 and wrote no %s", name)
	case err != nil:
		return nil, fmt.Errorf("the file %s: %w", name, err)
	case !info.Mode().IsRegular(): // to open a pipe would wait for ever
		return nil, fmt.Errorf("%s is no regular file", name)
	case info.Size() > limit:
		return nil, fmt.Errorf("the file %s has %d MiB, and at most %d are allowed", name, info.Size()>>20, limit>>20)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the file %s: %w", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the file %s: %w", name, err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("the file %s is larger than %d MiB", name, limit>>20)
	case len(data) == 0:
		return nil, fmt.Errorf("the file %s is empty", name)
	}
	return data, nil
}

// secrets are the values that must not be shown, the longest first.
func (c Command) secrets() []string {
	var values []string
	for _, name := range c.Secrets {
		if v := c.Env[name]; v != "" {
			values = append(values, v)
		}
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	return values
}

// redact replaces secrets.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "[redacted]")
	}
	return text
}

// progressLines reads progress from a program's standard output.
type progressLines struct {
	watch func(Progress) error
	stop  context.CancelCauseFunc
	rest  []byte // of a line that has not ended
	err   error
}

// maxLine is the longest line that can be progress.
const maxLine = 4096

func (p *progressLines) Write(data []byte) (int, error) {
	n := len(data)
	if p.watch == nil || p.err != nil {
		return n, nil
	}
	p.rest = append(p.rest, data...)
	for {
		line, rest, ok := strings.Cut(string(p.rest), "\n")
		if !ok {
			break
		}
		p.rest = []byte(rest)
		p.line(line)
	}
	if len(p.rest) > maxLine {
		p.rest = p.rest[:0]
	}
	return n, nil
}

func (p *progressLines) line(text string) {
	var said struct {
		Round  int     `json:"round"`
		Rounds int     `json:"rounds"`
		Metric string  `json:"metric"`
		Value  float64 `json:"value"`
		Best   int     `json:"best"`
	}
	if p.err != nil || json.Unmarshal([]byte(text), &said) != nil || said.Round == 0 {
		return
	}
	p.err = p.watch(Progress{Round: said.Round, Rounds: said.Rounds, Metric: said.Metric, Value: said.Value, Best: said.Best})
	if p.err != nil {
		p.stop(p.err)
	}
}
