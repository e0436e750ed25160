package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"github.com/apache/arrow/go/v17/arrow"

	"headgate/bench/process"
	"headgate/internal/columnar"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/train/gbdt"
)

// A job is one training, by either side, and its scores of the holdout rows.
type job struct {
	Train       string            `json:"train"` // Parquet file
	Holdout     string            `json:"holdout"`
	Label       string            `json:"label"`
	Features    []string          `json:"features"`
	Categorical []string          `json:"categorical"` // text columns among the features
	Params      map[string]string `json:"params"`
	Threads     int               `json:"threads"`
	Model       string            `json:"model"`  // file to write
	Scores      string            `json:"scores"` // file to write: raw scores, little-endian doubles
	// Check and Checked are for the peer only: a model of ours that it is to load, and
	// the file for that model's raw scores.
	Check   string `json:"check,omitempty"`
	Checked string `json:"checked,omitempty"`
}

// A result is what a training took. Loading is reading Parquet and making bins.
type result struct {
	Name      string  `json:"name"`
	LoadWall  float64 `json:"load_wall"` // seconds
	LoadCPU   float64 `json:"load_cpu"`
	TrainWall float64 `json:"train_wall"`
	TrainCPU  float64 `json:"train_cpu"`
	Memory    int64   `json:"memory"` // bytes resident at most, until the model was there
}

// runJob does a job of ours in this process.
func runJob(ctx context.Context, s settings, stdout io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(s.job), &j); err != nil {
		return err
	}
	debug.SetGCPercent(50) // as internal/worker does
	r := result{Name: "headgate"}
	p, err := gbdt.ParseParams(j.Params)
	if err != nil {
		return err
	}
	options := &gbdt.Options{Threads: j.Threads}
	clock := newStopwatch()
	d, err := gbdt.Load(ctx, readParquet(ctx, j.Train, append(j.Features, j.Label)), j.columns(), p, options)
	if err != nil {
		return err
	}
	r.LoadWall, r.LoadCPU = clock.lap()
	stop, err := startProfile(s.profile)
	if err != nil {
		return err
	}
	m, err := gbdt.Train(ctx, d, nil, p, options)
	if err != nil {
		return err
	}
	r.TrainWall, r.TrainCPU = clock.lap()
	if r.Memory, err = process.PeakMemory(); err != nil {
		return err
	}
	if err := stop(); err != nil {
		return err
	}
	if err := j.score(ctx, m); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(r)
}

func (j *job) columns() gbdt.Columns {
	c := gbdt.Columns{Label: j.Label}
	for _, name := range j.Features {
		in := model.Input{Name: name}
		for _, text := range j.Categorical {
			if name == text {
				in.Kind = model.Categorical
			}
		}
		c.Features = append(c.Features, in)
	}
	return c
}

// score writes the model and its scores of the holdout rows.
func (j *job) score(ctx context.Context, m *gbdt.Model) error {
	if err := os.WriteFile(j.Model, m.Text, 0o666); err != nil {
		return err
	}
	categories := map[string][]string{}
	for _, in := range m.Inputs {
		if in.Categories != nil {
			categories[in.Name] = in.Categories
		}
	}
	scorer, err := lightgbm.Parse(m.Text, model.Options{Categories: categories})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	var scores model.Scores
	for rec, err := range readParquet(ctx, j.Holdout, j.Features) {
		if err == nil {
			err = scorer.Score(&scores, rec)
		}
		if err == nil {
			err = binary.Write(&out, binary.LittleEndian, scores.Raw)
		}
		if err != nil {
			return err
		}
	}
	return os.WriteFile(j.Scores, out.Bytes(), 0o666)
}

// readParquet streams some columns of a file. It opens the file anew each time.
func readParquet(ctx context.Context, path string, columns []string) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			yield(nil, err)
			return
		}
		file, err := columnar.Open(f, info.Size(), &columnar.OpenOptions{Name: path})
		if err != nil {
			yield(nil, err)
			return
		}
		file.Records(ctx, columnar.ReadOptions{Columns: columns})(yield)
	}
}

// A stopwatch measures the time between its laps.
type stopwatch struct {
	wall time.Time
	cpu  time.Duration
}

func newStopwatch() *stopwatch { return &stopwatch{time.Now(), process.Clock()} }

// lap returns the seconds since the last lap, on the wall and of all threads.
func (s *stopwatch) lap() (wall, cpu float64) {
	now, used := time.Now(), process.Clock()
	wall, cpu = now.Sub(s.wall).Seconds(), (used - s.cpu).Seconds()
	s.wall, s.cpu = now, used
	return wall, cpu
}

// startProfile profiles until the returned function is called.
func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// ours does a job in a process of its own, whose peak of memory is the training's.
func (s settings) ours(ctx context.Context, j job, stderr io.Writer) (*result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	return ask(exec.CommandContext(ctx, self, "-job", string(text), "-cpuprofile", s.profile), stderr)
}

// theirs lets LightGBM do a job.
func (s settings) theirs(ctx context.Context, j job, stderr io.Writer) (*result, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, s.python, filepath.Join(sources, "peer_lightgbm.py"), string(text))
	// Arrow and the BLAS library beneath NumPy have thread pools of their own. Threads
	// of OpenMP that wait for each other should not keep a shared machine busy.
	cmd.Env = append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", j.Threads), "OMP_WAIT_POLICY=PASSIVE", "OPENBLAS_NUM_THREADS=1")
	return ask(cmd, stderr)
}

// sources is where the Python beside this file is.
var sources = filepath.Join("bench", "train")

func ask(cmd *exec.Cmd, stderr io.Writer) (*result, error) {
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(cmd.Path), err)
	}
	r := new(result)
	return r, json.Unmarshal(out, r)
}
