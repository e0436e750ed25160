package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// A peerReport is what peer_lightgbm.py prints.
type peerReport struct {
	Name    string  `json:"name"`
	Threads int     `json:"threads"`
	Rows    int64   `json:"rows"`
	Wall    float64 `json:"wall"`    // seconds
	CPU     float64 `json:"cpu"`     // seconds of all threads
	Predict float64 `json:"predict"` // CPU seconds of the prediction alone
	Memory  int64   `json:"memory"`  // bytes resident at most
}

// compare lets LightGBM score rows of the same files with the same model and prints
// its numbers beside ours.
func compare(ctx context.Context, s settings, r *report, stdout, stderr io.Writer) error {
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tM rows/s per core\tof it scoring alone\tM rows/s on the wall\tMB resident\t")
	fmt.Fprintf(t, "headgate, all stages\t%.3f\t%.3f\t%.3f\t%.0f\t\n", perSecond(r.Rows, r.CPU),
		perSecond(r.Rows, r.Times.Score), perSecond(r.Rows, r.Wall), float64(r.PeakMemory)/1e6)
	var ratios []string
	for _, threads := range []int{1, 2} {
		fmt.Fprintf(stderr, "the peer scores %d rows with %d threads\n", min(s.peerRows, s.rows), threads)
		p, err := s.askPeer(ctx, threads, stderr)
		if err != nil {
			return err
		}
		rate := func(seconds float64) float64 { return perSecond(p.Rows, time.Duration(seconds*1e9)) }
		fmt.Fprintf(t, "%s, %d threads\t%.3f\t%.3f\t%.3f\t%.0f\t\n", p.Name, p.Threads,
			rate(p.CPU), rate(p.Predict), rate(p.Wall), float64(p.Memory)/1e6)
		ratios = append(ratios, fmt.Sprintf("against %d threads, for the same processor time: %.1f × the rows with all stages, %.1f × scoring alone",
			p.Threads, perSecond(r.Rows, r.CPU)/rate(p.CPU), perSecond(r.Rows, r.Times.Score)/rate(p.Predict)))
	}
	t.Flush()
	fmt.Fprintln(stdout)
	for _, line := range ratios {
		fmt.Fprintln(stdout, line)
	}
	return nil
}

// askPeer runs the peer once.
func (s settings) askPeer(ctx context.Context, threads int, stderr io.Writer) (*peerReport, error) {
	dir, err := os.MkdirTemp(s.dir, "peer-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, s.peer, filepath.Join("bench", "peer_lightgbm.py"),
		filepath.Join(shipped, "champion.txt"), s.batchDir(), filepath.Join(dir, "scores.parquet"),
		fmt.Sprint(threads), fmt.Sprint(s.peerRows))
	// Arrow and the BLAS library beneath NumPy have thread pools of their own.
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS="+fmt.Sprint(threads), "OPENBLAS_NUM_THREADS=1")
	cmd.Stderr = stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("peer %s: %w", s.peer, err)
	}
	p := new(peerReport)
	return p, json.Unmarshal(out, p)
}
