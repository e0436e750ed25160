package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"headgate/internal/pass"
)

// A report is what one measurement found.
type report struct {
	Rows, Scored, Quarantined, Published, Duplicates int64

	Features, Shards, Parallel int
	ShardRows                  int64

	Read    int64 // bytes of the input files
	Written int64 // bytes of score files, key lists, profiles, quarantine and table

	Times           pass.Times // processor time of the passes, by stage
	Merge, Assemble time.Duration

	Wall, CPU  time.Duration // of the whole measurement; CPU of all threads
	PeakMemory int64         // bytes resident at most
}

// add counts what a pass returned.
func (r *report) add(out *pass.Output) {
	r.Scored += out.Scored
	r.Quarantined += out.Quarantined
	r.Written += int64(len(out.Scores) + len(out.Quarantine) + len(out.Profile))
	for _, keys := range out.Keys {
		r.Written += int64(len(keys))
	}
	r.Times.Decode += out.Times.Decode
	r.Times.Check += out.Times.Check
	r.Times.Profile += out.Times.Profile
	r.Times.Score += out.Times.Score
	r.Times.Write += out.Times.Write
}

// A stage is one line of the table.
type stage struct {
	name string
	time time.Duration // of the processor
}

func (r *report) stages() []stage {
	return []stage{
		{"decode", r.Times.Decode},
		{"check", r.Times.Check + r.Merge},
		{"profile", r.Times.Profile},
		{"score", r.Times.Score},
		{"write", r.Times.Write + r.Assemble},
	}
}

// print writes the table.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%d rows × %d features in %d shards of up to %d rows, %d at a time\n",
		r.Rows, r.Features, r.Shards, r.ShardRows, r.Parallel)
	fmt.Fprintf(w, "%d published, %d in quarantine, %d duplicate keys\n\n", r.Published, r.Quarantined, r.Duplicates)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "stage\tCPU s\tshare\tM rows/s per core\t")
	var sum time.Duration
	for _, s := range r.stages() {
		sum += s.time
		r.line(t, s.name, s.time)
	}
	r.line(t, "runtime", r.CPU-sum)
	r.line(t, "all", r.CPU)
	t.Flush()
	fmt.Fprintf(w, "\n%.2f M rows/s on the wall (%.1f s, %.1f CPUs busy)\n",
		perSecond(r.Rows, r.Wall), r.Wall.Seconds(), r.CPU.Seconds()/r.Wall.Seconds())
	fmt.Fprintf(w, "%.0f MB resident at most; %.0f MB read, %.0f MB written\n\n",
		float64(r.PeakMemory)/1e6, float64(r.Read)/1e6, float64(r.Written)/1e6)
}

func (r *report) line(w io.Writer, name string, d time.Duration) {
	fmt.Fprintf(w, "%s\t%.2f\t%.0f %%\t%.2f\t\n", name, d.Seconds(), 100*d.Seconds()/r.CPU.Seconds(), perSecond(r.Rows, d))
}

// perSecond returns millions of rows a second.
func perSecond(rows int64, d time.Duration) float64 { return float64(rows) / d.Seconds() / 1e6 }
