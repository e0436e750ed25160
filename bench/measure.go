package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"headgate/bench/process"
	"headgate/internal/columnar"
	"headgate/internal/contract"
	"headgate/internal/model"
	"headgate/internal/model/lightgbm"
	"headgate/internal/pass"
	"headgate/internal/run"
)

// keep are the input columns in the published table, as the shipped pipeline says.
var keep = []string{"segment", "region"}

// A measurement is one pass over the batch: the stages of a worker without Temporal and the store.
type measurement struct {
	settings
	contract *contract.Contract
	scorer   model.Scorer
	files    []string
	shards   []run.Shard
	scratch  string // directory that stands for the store

	mu     sync.Mutex
	report report
}

// measure scores the batch in three steps, as the workflow does: one pass over each
// shard, the merge of the key lists, the assembly of each shard.
func measure(ctx context.Context, s settings) (*report, error) {
	debug.SetGCPercent(50) // as internal/worker does
	m := &measurement{settings: s, files: s.batchFiles()}
	if err := m.load(); err != nil {
		return nil, err
	}
	if err := m.plan(); err != nil {
		return nil, err
	}
	var err error
	if m.scratch, err = os.MkdirTemp(s.dir, "run-*"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(m.scratch)
	if s.profile != "" {
		f, err := os.Create(s.profile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
	}
	wall, cpu := time.Now(), process.Clock()
	if err := m.eachShard(ctx, m.pass); err != nil {
		return nil, err
	}
	if err := m.judge(); err != nil {
		return nil, err
	}
	if err := m.eachShard(ctx, m.assemble); err != nil {
		return nil, err
	}
	m.report.Wall, m.report.CPU = time.Since(wall), process.Clock()-cpu
	m.report.PeakMemory, err = process.PeakMemory()
	return &m.report, err
}

// load reads the shipped contract and champion.
func (m *measurement) load() error {
	text, err := os.ReadFile(filepath.Join(shipped, "contract.yaml"))
	if err != nil {
		return err
	}
	if m.contract, err = contract.Parse("contract.yaml", text); err != nil {
		return err
	}
	if text, err = os.ReadFile(filepath.Join(shipped, "champion.txt")); err != nil {
		return err
	}
	m.scorer, err = lightgbm.Parse(text, model.Options{})
	return err
}

// plan cuts the files into shards of whole row groups.
func (m *measurement) plan() error {
	for i, name := range m.files {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		m.report.Read += info.Size()
		f, closeFile, err := m.open(i)
		if err != nil {
			return err
		}
		shard := run.Shard{File: i}
		for g, group := range f.RowGroups() {
			if shard.Groups > 0 && shard.Rows+group.Rows > m.shardRows {
				m.shards = append(m.shards, shard)
				shard = run.Shard{File: i, FirstGroup: g, FirstRow: shard.FirstRow + shard.Rows}
			}
			shard.Groups++
			shard.Rows += group.Rows
		}
		m.shards = append(m.shards, shard)
		m.report.Rows += f.NumRows()
		if err := closeFile(); err != nil {
			return err
		}
	}
	m.report.Features, m.report.Shards = len(m.scorer.Inputs()), len(m.shards)
	m.report.ShardRows, m.report.Parallel = m.shardRows, m.parallel
	return nil
}

// open opens an input file.
func (m *measurement) open(i int) (*columnar.File, func() error, error) {
	f, err := os.Open(m.files[i])
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	file, err := columnar.Open(f, info.Size(), &columnar.OpenOptions{Name: m.files[i]})
	return file, f.Close, err
}

// eachShard does something with every shard, m.parallel at a time, each on a thread
// of its own, so that the thread's clock is the shard's.
func (m *measurement) eachShard(ctx context.Context, do func(ctx context.Context, shard int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(m.parallel)
	for i := range m.shards {
		group.Go(func() error {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if err := do(ctx, i); err != nil {
				return fmt.Errorf("shard %d: %w", i, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// pass makes the pass over a shard and writes what it returns.
func (m *measurement) pass(ctx context.Context, i int) error {
	file, closeFile, err := m.open(m.shards[i].File)
	if err != nil {
		return err
	}
	defer closeFile()
	out, err := pass.Run(ctx, pass.Input{File: file, Name: filepath.Base(m.files[m.shards[i].File]), Shard: m.shards[i],
		Contract: m.contract, Scorer: m.scorer, Keep: keep, Clock: process.ThreadClock})
	if err != nil {
		return err
	}
	began := process.ThreadClock()
	if err := m.save("scores", i, out.Scores); err != nil {
		return err
	}
	if err := m.save("quarantine", i, out.Quarantine); err != nil {
		return err
	}
	if err := m.save("profile", i, out.Profile); err != nil {
		return err
	}
	for k, keys := range out.Keys {
		if err := m.save(fmt.Sprintf("keys%d", k), i, keys); err != nil {
			return err
		}
	}
	out.Times.Write += process.ThreadClock() - began
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.add(out)
	return nil
}

// name is where an output of a shard goes.
func (m *measurement) name(what string, shard int) string {
	return filepath.Join(m.scratch, fmt.Sprintf("%s-%06d", what, shard))
}

// save writes an output as a store does: it is named by its digest.
func (m *measurement) save(what string, shard int, data []byte) error {
	sha256.Sum256(data)
	return os.WriteFile(m.name(what, shard), data, 0o666)
}

// judge merges the key lists of all shards.
func (m *measurement) judge() error {
	began := process.Clock()
	for k := range m.contract.NeedsKeys() {
		var lists []io.Reader
		for i := range m.shards {
			f, err := os.Open(m.name(fmt.Sprintf("keys%d", k), i))
			if err != nil {
				return err
			}
			defer f.Close()
			lists = append(lists, bufio.NewReaderSize(f, 16<<10))
		}
		var last pass.Key
		err := pass.MergeKeys(lists, func(key pass.Key, _ pass.Duplicate) error {
			if key == last {
				m.report.Duplicates++
			}
			last = key
			return nil
		})
		if err != nil {
			return err
		}
	}
	m.report.Merge = process.Clock() - began
	return nil
}

// assemble writes the published rows of a shard.
func (m *measurement) assemble(ctx context.Context, i int) error {
	began := process.ThreadClock()
	scores, err := os.ReadFile(m.name("scores", i))
	if err != nil || len(scores) == 0 {
		return err
	}
	sha256.Sum256(scores)
	file, err := columnar.Open(bytes.NewReader(scores), int64(len(scores)), nil)
	if err != nil {
		return err
	}
	out, err := pass.Assemble(ctx, pass.AssembleInput{Scores: file, Name: filepath.Base(m.files[m.shards[i].File]),
		FirstRow: m.shards[i].FirstRow, Columns: pass.TableColumns(m.contract, keep), Outputs: m.scorer.Outputs(),
		Model: "model", Contract: "contract", Run: "run"})
	if err != nil {
		return err
	}
	if err := m.save("table", i, out.Data); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.Assemble += process.ThreadClock() - began
	m.report.Published += out.Rows
	m.report.Written += int64(len(out.Data))
	return nil
}
